import { setTimeout } from 'node:timers/promises'
import { type Told, watch } from '../load/watchers.ts'
import { atLeast, atMost, type Row } from '../measured.ts'
import type { OurWorld } from '../servers/our-world.ts'
import { Line } from './line.ts'
import type { Part, PartOptions } from './part.ts'
import { round } from './throughput.ts'

const part = 'waiting'
/** `before`: how many are served while all watch. `leaving`: how many leave at once while the others watch. */
const full = { crowds: [1000, 10_000], watched: 1000, before: 2000, joins: 200, leaving: 200 }
const quick = { crowds: [500], watched: 50, before: 200, joins: 50, leaving: 20 }
const fewest = 10
/** How often one leaves while the others watch. */
const singles = 5
/** How long places may take to be told before they count as not told. */
const patienceMs = 5000

type Sizes = typeof full

export const waitingPart: Part = {
  name: part,
  about: `joining a demo for which ${fewest} to ${full.crowds.at(-1)} wait, serving while 0 or ${full.watched} watch, and how soon they are told`,
  async open(options, opened) {
    const world = await options.world(opened)
    const demo = await world.deploy('bench/models/gated', 'gated')
    const line = opened.use(new Line(world, demo))
    const sizes: Sizes = options.isQuick ? quick : full
    await warmUp(line, sizes)
    return async () => ({
      rows: [
        ...(await joining(world, line, sizes, options)),
        await watching(line, sizes, options),
        await telling(line, sizes, options),
      ],
    })
  },
}

async function warmUp(line: Line, { joins }: Sizes): Promise<void> {
  const gate = line.gate()
  await line.join(joins, gate)
  await line.open(gate)
  await line.ended()
}

async function joining(world: OurWorld, line: Line, sizes: Sizes, { say }: PartOptions): Promise<Row[]> {
  const { crowds, joins } = sizes
  const gate = line.gate()
  await line.join(fewest, gate)
  const few = p99((await line.join(joins, gate)).times)
  const memory = await world.probed('daemon')
  const rows: Row[] = []
  let waiting = fewest + joins
  for (const crowd of crowds) {
    await line.join(crowd - waiting, gate)
    const after = await world.probed('daemon')
    const many = p99((await line.join(joins, gate)).times)
    const each = (after.rssBytes - memory.rssBytes) / (crowd - fewest - joins)
    const used = (after.usedBytes - memory.usedBytes) / (crowd - fewest - joins)
    waiting = crowd + joins
    const [join, bytes] = [
      `p99 of joining: ${round(many)} ms`,
      `${round(each)} bytes each, ${round(used)} of them used`,
    ]
    say(`  behind ${fewest} p99 of joining: ${round(few)} ms; behind ${crowd} ${join}; ${bytes}`)
    const peer = { name: `behind ${fewest}`, value: few }
    rows.push({ part, what: `p99 of joining behind ${crowd}`, unit: 'ms', ours: many, peer, goal: atMost(2) })
    // Memory that a process got for a few is too much for them.
    if (crowd === crowds.at(-1))
      rows.push({
        part,
        what: `the daemon's memory for each of ${crowd}`,
        unit: 'kB',
        ours: each / 1024,
        goal: atMost(4),
      })
  }
  await line.open(gate)
  await line.leave()
  return rows
}

async function watching(line: Line, sizes: Sizes, { say }: PartOptions): Promise<Row> {
  const { watched } = sizes
  const without = await servedPerSecond(line, sizes, 0)
  const withAll = await servedPerSecond(line, sizes, watched)
  say(`  served a second: ${round(without)} with nobody watching, ${round(withAll)} with ${watched}`)
  return {
    part,
    what: `served a second, ${watched} watch`,
    unit: '/s',
    ours: withAll,
    peer: { name: 'nobody watches', value: without },
    goal: atLeast(1 / 1.1),
  }
}

/** Those who watch stand behind others: they are told while those are served, and are served after them. */
async function servedPerSecond(line: Line, { before, watched: last }: Sizes, watched: number): Promise<number> {
  const gate = line.gate()
  const { ids } = await line.join(before + last, gate)
  await using _watchers = await watch(ids.slice(ids.length - watched).map((id) => line.eventsOf(id)))
  await line.open(gate)
  const ends = await line.ends(ids)
  return ((ends.length - 1) * 1000) / (Math.max(...ends) - Math.min(...ends))
}

/**
 * How long it takes at most until every watcher was told its place, when one leaves and when many do. The first 50 are
 * told exactly, and the others once it is off by a tenth.
 */
async function telling(line: Line, { watched, leaving }: Sizes, { say }: PartOptions): Promise<Row> {
  const gates = Array.from({ length: singles }, () => line.gate())
  const first: string[] = []
  for (const gate of gates) first.push(...(await line.join(1, gate, 1)).ids)
  const [many, rest] = [line.gate(), line.gate()]
  const ids = [...(await line.join(leaving, many)).ids, ...(await line.join(watched - leaving, rest)).ids]
  await using watchers = await watch(
    ids.map((id) => line.eventsOf(id)),
    true,
  )
  // One who comes anew is told its place at once.
  await setTimeout(1000)
  const times: number[] = []
  for (const [index, gate] of [...gates, many].entries()) {
    await line.open(gate)
    const left = index < singles ? [first[index] ?? ''] : ids.slice(0, leaving)
    const at = Math.max(...(await line.ends(left)))
    // How many stand before the first who watches: it runs when there is none.
    const placeOf = (watcher: number) => (index < singles ? singles - index - 1 + watcher : watcher - leaving)
    await setTimeout(patienceMs / 5)
    times.push(await untilAllKnow(watchers.told, placeOf, ids.length, at))
  }
  await line.open(rest)
  await line.ended()
  say(`  told within ${times.map((time) => `${round(time)} ms`).join(', ')}`)
  const what = `until each of ${watched} watchers knows of a change`
  return { part, what, unit: 'ms', ours: Math.max(...times), goal: atMost(500) }
}

/** Milliseconds from a time on until every watcher that waits knows its place. */
async function untilAllKnow(
  told: readonly Told[],
  placeOf: (watcher: number) => number,
  watchers: number,
  since: number,
): Promise<number> {
  for (;;) {
    const by = Map.groupBy(told, ({ watcher }) => watcher)
    const waiting = Array.from({ length: watchers }, (_, watcher) => watcher).filter((one) => placeOf(one) > 0)
    const knew = waiting.map((watcher) => knewAt(by.get(watcher) ?? [], placeOf(watcher)))
    const last = Math.max(...knew)
    if (last < Number.POSITIVE_INFINITY) return Math.max(0, last - since)
    if (Date.now() - since > patienceMs) return patienceMs
    await setTimeout(50)
  }
}

/** When a watcher was first told what is still right. Infinity: it was not. */
function knewAt(told: readonly Told[], place: number): number {
  const last = told.findLastIndex((one) => !isRight(one.place, place))
  return told[last + 1]?.at ?? Number.POSITIVE_INFINITY
}

const isRight = (told: number, place: number): boolean =>
  place <= 50 ? told === place : Math.abs(told - place) < told / 10

function p99(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(0.99 * times.length)] ?? Number.NaN
}
