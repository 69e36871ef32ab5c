import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import { isActive, type Run } from '../client/run.ts'
import styles from './demo.module.css'

const dash = ' – '

/** The button is the status: what it says is what goes on. The page's title says it too. */
export function RunButton({
  run,
  blocked,
  onCancel,
}: {
  run: Run | undefined
  blocked: string | undefined
  onCancel: () => void
}) {
  const now = useNow(run?.phase === 'running')
  const words = run && isActive(run) ? statusOf(run, now) : undefined
  useTitle(words)
  return (
    <div className={styles.run} {...useKeptFocus(words === undefined)}>
      {words === undefined ? (
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
          <span>{words}</span>
          <button type="button" onClick={onCancel} disabled={run?.id === undefined}>
            Cancel
          </button>
        </div>
      )}
      <span className={styles.spoken} role="status">
        {spoken(run)}
      </span>
      {run?.phase === 'running' && run.progress && <Progress {...run.progress} />}
    </div>
  )
}

/** What is read out: what changes, not each second of it. */
function spoken(run: Run | undefined): string {
  if (run?.phase === 'waiting') return run.queue ? `Place ${run.queue.position} in line` : 'It waits'
  if (run?.phase === 'running') return 'It runs'
  return run?.phase === 'succeeded' ? 'Done' : ''
}

/** Run and Cancel take each other's place: the focus that was on the one stays here. */
function useKeptFocus(runs: boolean) {
  const place = useRef<HTMLDivElement>(null)
  const inside = useRef(false)
  // biome-ignore lint/correctness/useExhaustiveDependencies: as one takes the other's place
  useLayoutEffect(() => {
    if (inside.current && document.activeElement === document.body) place.current?.focus()
  }, [runs])
  const onFocus = () => {
    inside.current = true
  }
  const onBlur = () => {
    inside.current = false
  }
  return { ref: place, tabIndex: -1, onFocus, onBlur }
}

function Progress({ done, total, note }: NonNullable<Run['progress']>) {
  return (
    <div className={styles.progress}>
      <progress aria-label="Progress" value={total ? done : undefined} max={total ?? undefined} />
      {note && <span className={styles.mute}>{note}</span>}
    </div>
  )
}

function statusOf(run: Run, now: number): string {
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

/** What goes on stands before the page's own title, whatever that is by now. */
function useTitle(words: string | undefined): void {
  useEffect(() => {
    if (!words) return
    document.title = `${words}${dash}${document.title}`
    return () => {
      const { title } = document
      if (title.includes(dash)) document.title = title.slice(title.indexOf(dash) + dash.length)
    }
  }, [words])
}
