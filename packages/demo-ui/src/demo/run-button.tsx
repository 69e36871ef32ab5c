import { useEffect, useState } from 'react'
import { type DemoRun, isRunActive } from '../client/run.ts'
import styles from './demo.module.css'
import { useFocusThroughSwap } from './use-focus-through-swap.ts'
import { useStatusTitle } from './use-status-title.ts'

/** The button shows the state of the run. The page's title shows it too. */
export function RunButton({
  run,
  blocked,
  onCancel,
}: {
  run: DemoRun | undefined
  blocked: string | undefined
  onCancel: () => void
}) {
  const now = useNow(run?.phase === 'running')
  const status = run && isRunActive(run) ? statusText(run, now) : undefined
  useStatusTitle(status)
  return (
    <div className={styles.run} {...useFocusThroughSwap(status === undefined)}>
      {status === undefined ? (
        <button type="submit" className={styles.primary} disabled={blocked !== undefined}>
          {blocked ?? 'Run'}
          {!blocked && (
            <span className={styles.keys} aria-hidden="true">
              {navigator.platform.startsWith('Mac') ? '⌘' : 'Ctrl'} ⏎
            </span>
          )}
        </button>
      ) : (
        <div className={styles.status}>
          <span>{status}</span>
          <button type="button" onClick={onCancel} disabled={run?.id === undefined}>
            Cancel
          </button>
        </div>
      )}
      <span className={styles.spoken} role="status">
        {announcementOf(run)}
      </span>
      {run?.phase === 'running' && run.progress && <ProgressBar {...run.progress} />}
    </div>
  )
}

/** The text for a screen reader, which changes at each step of the run but not each second. */
function announcementOf(run: DemoRun | undefined): string {
  if (run?.phase === 'waiting') return run.queue ? `Place ${run.queue.position} in line` : 'It waits'
  if (run?.phase === 'running') return 'It runs'
  return run?.phase === 'succeeded' ? 'Done' : ''
}

function ProgressBar({ done, total, note }: NonNullable<DemoRun['progress']>) {
  return (
    <div className={styles.progress}>
      <progress aria-label="Progress" value={total ? done : undefined} max={total ?? undefined} />
      {note && <span className={styles.mute}>{note}</span>}
    </div>
  )
}

function statusText(run: DemoRun, now: number): string {
  if (!run.lineUp) return 'Connecting again…'
  if (run.phase === 'sending') return 'Sending…'
  if (run.phase === 'running')
    return `Running · ${run.since === undefined ? 0 : Math.max(0, Math.floor((now - run.since) / 1000))} s`
  if (!run.queue) return 'Waiting…'
  const { position, eta } = run.queue
  return `${ordinal(position)} in line${eta === null ? '' : ` · about ${Math.max(1, Math.round(eta))} s`}`
}

function ordinal(place: number): string {
  const ending = { one: 'st', two: 'nd', few: 'rd', other: 'th', zero: 'th', many: 'th' }
  return `${place}${ending[new Intl.PluralRules('en', { type: 'ordinal' }).select(place)]}`
}

function useNow(ticking: boolean): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    setNow(Date.now())
    if (!ticking) return
    const timer = setInterval(() => setNow(Date.now()), 500)
    return () => clearInterval(timer)
  }, [ticking])
  return now
}
