/** How often a demo ran: `1 run`, `1,204 runs`. */
export const runCount = (count: number): string => `${count.toLocaleString('en')} ${count === 1 ? 'run' : 'runs'}`

/** A number of milliseconds for people: `< 0.1 s`, `0.4 s`, `12 s`, `3 min 5 s`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, ms) / 1000
  if (seconds < 0.05) return '< 0.1 s'
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}
