import { useEffect, useState } from 'react'

const steps: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
]
const words = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' })

/** How long ago something was, kept true while it is looked at; the exact time on hover. */
export function Ago({ at }: { at: string }) {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 20_000)
    return () => clearInterval(timer)
  }, [])
  return (
    <time dateTime={at} title={new Date(at).toLocaleString()}>
      {ago(Date.parse(at), now)}
    </time>
  )
}

function ago(at: number, now: number): string {
  const step = steps.find(([, length]) => now - at >= length)
  return step ? words.format(-Math.floor((now - at) / step[1]), step[0]) : 'just now'
}

/** 1 run, 1,204 runs. */
export const runs = (count: number): string => `${count.toLocaleString('en')} ${count === 1 ? 'run' : 'runs'}`

/** 0.4 s, 12 s, 3 min 5 s. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}
