import { type Goal, type Row, spread, type Throughput } from './measured.ts'
import { round } from './parts/throughput.ts'

/** A Markdown table of all goals, with medians (and from–to) of all runs. */
export function goalsTable(runs: readonly (readonly Row[])[]): string {
  const lines = [...byKey(runs, keyOf).values()].map((rows) => {
    const [{ part, what, unit, peer, goal }] = rows
    const ratios = spread(rows.map((row) => row.ours / (row.peer?.value ?? 1)))
    const ours = `${range(rows.map((row) => row.ours))} ${unit}`
    const theirs = peer ? `${peer.name}: ${range(rows.map((row) => row.peer?.value ?? 0))} ${unit}` : ''
    const isMet = isWithin(ratios.median, goal)
    const ratio = peer ? range(rows.map((row) => row.ours / (row.peer?.value ?? 1))) : ''
    return `| ${part} | ${what} | ${ours} | ${theirs} | ${ratio} | ${goal.at === 'least' ? '≥' : '≤'} ${round(goal.value)} | ${isMet ? 'met' : '**missed**'} |`
  })
  return ['| part | what | ours | compared with | ratio | goal | |', '|---|---|---|---|---|---|---|', ...lines].join(
    '\n',
  )
}

/** A Markdown table of predictions a second, with p50 and p99. */
export function throughputTable(runs: readonly (readonly (Throughput & { readonly part: string })[])[]): string {
  const all = byKey(runs, ({ part, system, clients }) => `${part} ${system} ${clients}`)
  const lines = [...all.values()].map((found) => {
    const [{ part, system, clients }] = found
    const value = (of: (one: Throughput) => number) => range(found.map(of))
    const failed = found.reduce((sum, one) => sum + one.failed, 0)
    return `| ${part} | ${system} | ${clients} | ${value((one) => one.perSecond)} | ${value((one) => one.p50)} | ${value((one) => one.p99)} | ${failed} |`
  })
  return [
    '| part | | clients | a second | p50, ms | p99, ms | failed |',
    '|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n')
}

const keyOf = ({ part, what, peer }: Row): string => `${part} ${what} ${peer?.name}`

function byKey<One>(runs: readonly (readonly One[])[], key: (one: One) => string): Map<string, [One, ...One[]]> {
  const found = new Map<string, [One, ...One[]]>()
  for (const one of runs.flat()) {
    const before = found.get(key(one))
    if (before) before.push(one)
    else found.set(key(one), [one])
  }
  return found
}

function isWithin(value: number, goal: Goal): boolean {
  return goal.at === 'least' ? value >= goal.value : value <= goal.value
}

function range(values: readonly number[]): string {
  const { median, least, most } = spread(values)
  return values.length === 1 ? round(median) : `${round(median)} (${round(least)}–${round(most)})`
}
