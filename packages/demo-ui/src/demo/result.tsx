import type { DemoSchema } from '@origami/protocol/demo'
import { useRef, useState } from 'react'
import type { DemoClient } from '../client/client.ts'
import { isActive, type Run } from '../client/run.ts'
import { views } from '../components/registry.ts'
import styles from './demo.module.css'

/** What came out, or why nothing did. Keeps the height it had while the next answer is on its way. */
export function Result({ run, schema, demo }: { run: Run | undefined; schema: DemoSchema; demo: DemoClient }) {
  const place = useRef<HTMLDivElement>(null)
  const height = run && isActive(run) ? place.current?.offsetHeight : undefined
  return (
    <div ref={place} className={styles.result} style={height ? { minHeight: height } : undefined}>
      {!run && <p className={styles.mute}>The answer comes here.</p>}
      {run?.phase === 'failed' && <Failure run={run} />}
      {run?.phase === 'canceled' && <p className={styles.mute}>Cancelled.</p>}
      {run && <Outputs run={run} schema={schema} demo={demo} />}
      {run?.phase === 'succeeded' && run.id && <Facts run={run} demo={demo} />}
    </div>
  )
}

function Outputs({ run, schema, demo }: { run: Run; schema: DemoSchema; demo: DemoClient }) {
  const several = schema.outputs.length > 1
  return schema.outputs.map((field) => {
    const View = views[field.component].Output
    const value = run.fields[field.name]
    if (!View || value === undefined || value === null) return null
    return (
      <div key={field.name} className={styles.output} data-component={field.component}>
        {several && <h3>{field.label}</h3>}
        <View options={field.options} value={value} demo={demo} label={field.label} />
      </div>
    )
  })
}

function Failure({ run }: { run: Run }) {
  const advice: Record<string, string> = {
    interrupted: 'Run it again if you like.',
    crashed: 'The model has been started again; run it once more.',
    refused: 'Try again in a moment.',
  }
  return (
    <div className={styles.failure} role="alert">
      <strong>{run.error ?? 'It failed.'}</strong>
      {run.reason && advice[run.reason] && <span> {advice[run.reason]}</span>}
    </div>
  )
}

function Facts({ run, demo }: { run: Run; demo: DemoClient }) {
  const [copied, setCopied] = useState(false)
  const copy = () => void navigator.clipboard?.writeText(JSON.stringify(run.fields, null, 2)).then(() => setCopied(true))
  return (
    <p className={styles.facts}>
      {run.seconds !== undefined && <span>{run.seconds < 10 ? run.seconds.toFixed(1) : Math.round(run.seconds)} s</span>}
      <a href={`${demo.base}/predictions/${run.id}`}>permalink</a>
      <button type="button" onClick={copy}>
        {copied ? 'copied' : 'copy'}
      </button>
    </p>
  )
}
