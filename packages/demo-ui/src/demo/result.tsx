import type { DemoSchema } from '@origami/protocol/demo'
import { useRef } from 'react'
import type { DemoClient } from '../client/client.ts'
import { type DemoRun, isRunActive } from '../client/run.ts'
import { views } from '../components/registry.ts'
import { fileNameOf } from '../components/upload.tsx'
import { useCopy } from '../look/use-copy.ts'
import styles from './demo.module.css'

/** The output, or the reason why there is none. It keeps its height while the next answer is on its way. */
export function Result({ run, schema, demo }: { run: DemoRun | undefined; schema: DemoSchema; demo: DemoClient }) {
  const place = useRef<HTMLDivElement>(null)
  const height = run && isRunActive(run) ? place.current?.offsetHeight : undefined
  return (
    <div ref={place} className={styles.result} style={height ? { minHeight: height } : undefined}>
      {!run && <p className={styles.mute}>The answer comes here.</p>}
      {run?.phase === 'failed' && <FailureNotice run={run} />}
      {run?.phase === 'canceled' && <p className={styles.mute}>Canceled.</p>}
      {run && <Outputs run={run} schema={schema} demo={demo} />}
      {run?.phase === 'succeeded' && run.id && <Facts run={run} schema={schema} demo={demo} />}
    </div>
  )
}

function Outputs({ run, schema, demo }: { run: DemoRun; schema: DemoSchema; demo: DemoClient }) {
  const several = schema.outputs.length > 1
  return schema.outputs.map((field) => {
    const View = views[field.component].Output
    const value = run.fields[field.name]
    if (!View || value === undefined || value === null) return null
    return (
      <div key={field.name} className={styles.output} data-component={field.component}>
        {several && <h2>{field.label}</h2>}
        <View options={field.options} value={value} demo={demo} label={field.label} />
      </div>
    )
  })
}

function FailureNotice({ run }: { run: DemoRun }) {
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

function Facts({ run, schema, demo }: { run: DemoRun; schema: DemoSchema; demo: DemoClient }) {
  const { copied, copy } = useCopy()
  const answer = answerOf(run, schema, demo)
  return (
    <p className={styles.facts}>
      {run.seconds !== undefined && <span>{secondsOf(run.seconds)}</span>}
      <a href={`${demo.base}/predictions/${run.id}`}>permalink</a>
      <button type="button" onClick={() => void copy(answer.text)}>
        {copied ? 'copied' : 'copy'}
      </button>
      <a href={answer.href} download={answer.name}>
        download
      </a>
    </p>
  )
}

/** A duration such as `< 0.1 s`, `0.4 s` or `12 s`. */
function secondsOf(seconds: number): string {
  if (seconds < 0.05) return '< 0.1 s'
  return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
}

/** The answer to copy or download: a single text as text, a single file as itself, everything else as JSON. */
function answerOf(
  { fields }: DemoRun,
  { outputs }: DemoSchema,
  demo: DemoClient,
): { text: string; href: string; name: string } {
  const [only, ...more] = outputs
  const value = only && more.length === 0 ? fields[only.name] : fields
  if (typeof value === 'string' && only && views[only.component].isFile) {
    const href = demo.address(value)
    return { text: new URL(href, location.href).href, href, name: fileNameOf(value) }
  }
  if (typeof value === 'string') return { text: value, href: dataOf('text/plain', value), name: 'output.txt' }
  const text = JSON.stringify(value, null, 2) ?? 'null'
  return { text, href: dataOf('application/json', text), name: 'output.json' }
}

const dataOf = (type: string, text: string) => `data:${type};charset=utf-8,${encodeURIComponent(text)}`
