import { useEffect, useState } from 'react'

const steps: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
]
const relativeTime = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' })

/** How long ago something happened, kept up to date. The exact time is shown on hover. */
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
  return step ? relativeTime.format(-Math.floor((now - at) / step[1]), step[0]) : 'just now'
}
