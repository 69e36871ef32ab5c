import { LogView } from '@origami/demo-ui'
import type { Deployment } from '@origami/protocol/control'
import { useEffect, useState } from 'react'
import { Ago } from '../../parts/ago.tsx'
import styles from '../../parts/parts.module.css'
import { durationText } from '../../parts/quantities.ts'

const steps = {
  queued: 'Queued',
  cloning: 'Clone',
  validating: 'Check',
  building: 'Build',
  starting: 'Start',
  health_checking: 'Answer',
  switching: 'Switch',
} as const
type Step = keyof typeof steps

/** One deployment: its commit, its steps and how long each took. For a failed one the reason comes first. */
export function DeploymentEntry({
  deployment,
  serving,
  last,
}: {
  deployment: Deployment
  serving: boolean
  /** The deployment before that went live. Its step times are shown as what to expect. */
  last: Deployment | undefined
}) {
  const { state, steps: entries, reason } = deployment
  const failed = deployment.log_tail.length > 0
  const ended = entries.findLast((step) => !(step.state in steps))
  const took = ended && Date.parse(ended.at) - Date.parse(deployment.created_at)
  return (
    <li className={styles.sheet}>
      <div className={styles.row}>
        <span className={styles.code}>{deployment.commit?.slice(0, 7) ?? '·······'}</span>
        <span className={styles.grow}>{deployment.commit_message}</span>
        <span className={styles.mute}>
          {serving ? 'live' : state.replace('_', ' ')} · <Ago at={deployment.created_at} />
          {state === 'running' && took !== undefined && ` · ${durationText(took)}`}
        </span>
      </div>
      {reason && <p role={failed ? 'alert' : undefined}>{reason}</p>}
      {state !== 'superseded' && (
        <ol className={styles.steps} aria-label="Steps">
          {Object.entries(steps).map(([name, label]) => (
            <StepLine key={name} label={label} deployment={deployment} step={name as Step} last={last} />
          ))}
        </ol>
      )}
      {deployment.base_images.length > 0 && (
        <details>
          <summary>Built on</summary>
          {deployment.base_images.map((image) => (
            <p key={image} className={styles.code}>
              {image}
            </p>
          ))}
        </details>
      )}
      {failed && (
        <details open>
          <summary>Its last lines</summary>
          <LogView lines={deployment.log_tail.slice(-40)} follow label="Last lines of the log" />
        </details>
      )}
    </li>
  )
}

function StepLine({
  label,
  deployment: { steps: entries, state },
  step,
  last,
}: {
  label: string
  deployment: Deployment
  step: Step
  last: Deployment | undefined
}) {
  const index = entries.findLastIndex((entry) => entry.state === step)
  const [begun, ended] = [entries[index], entries[index + 1]]
  const underWay = state === step
  const now = useSeconds(underWay)
  if (!begun) return <li className={styles.mute}>○ {label}</li>
  const time = durationText((ended ? Date.parse(ended.at) : now) - Date.parse(begun.at))
  const before = underWay && last ? timeOf(last, step) : undefined
  const broke = ended && !(ended.state in steps) && ended.state !== 'running'
  return (
    <li aria-current={underWay ? 'step' : undefined}>
      {underWay ? '●' : broke ? '✗' : '✓'} {label} {time}
      {before !== undefined && <span className={styles.mute}> (last time {durationText(before)})</span>}
    </li>
  )
}

function timeOf({ steps: entries }: Deployment, step: Step): number | undefined {
  const index = entries.findLastIndex((entry) => entry.state === step)
  const [begun, ended] = [entries[index], entries[index + 1]]
  return begun && ended && Date.parse(ended.at) - Date.parse(begun.at)
}

function useSeconds(ticking: boolean): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    if (!ticking) return
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [ticking])
  return now
}
