import { setTimeout } from 'node:timers/promises'
import { placeOf } from '../../tests/person.ts'
import { makeLoad } from '../load/load.ts'
import { atMost, type Row } from '../measured.ts'
import { type Demo, OurWorld, probe } from '../servers/our-world.ts'
import { predictions } from '../servers/peers.ts'
import { fillPredictions } from '../servers/predictions-table.ts'
import type { Part, PartOptions } from './part.ts'
import { round } from './throughput.ts'

const part = 'rows'
const full = [0, 10_000, 100_000, 1_000_000]
const quick = [0, 10_000]
/** How often somebody looks at the demo, its queue and results while stalls are looked for. */
const lookEveryMs = 100

/** An Origami that keeps so many results. */
interface Keeper {
  readonly count: number
  readonly world: OurWorld
  readonly demo: Demo
}

interface Cost {
  readonly cpuMs: number
  readonly perPredictionMs: number
  /** How long an event loop stood still at most. */
  readonly stallMs: { readonly daemon: number; readonly web: number }
}

export const rowsKeptPart: Part = {
  name: part,
  about: `what a prediction costs when ${full.slice(1).join(', ')} results are kept, against none, and the longest stalls`,
  async open(options, opened) {
    const keepers: Keeper[] = []
    for (const count of options.isQuick ? quick : full) keepers.push(await openKeeper(count, opened))
    return async () => {
      const costs = new Map<number, Cost>()
      for (const keeper of keepers) costs.set(keeper.count, await costOf(keeper, options))
      return { rows: [...costs].flatMap(([count, cost]) => rowsOf(count, cost, costs.get(0) ?? cost)) }
    }
  },
}

async function openKeeper(count: number, opened: AsyncDisposableStack): Promise<Keeper> {
  const world = opened.use(await OurWorld.start({ imports: [probe] }))
  const demo = await world.deploy('bench/models/echo', 'echo')
  // The owner is somebody who made many of them.
  await world.owner.demo(demo.address).call('POST /predictions', { body: { input: { text: 'x' } } })
  if (count > 0) await world.whileDaemonIsStopped(() => fillPredictions(world.world.folder, count))
  return { count, world, demo }
}

function rowsOf(count: number, { cpuMs, perPredictionMs, stallMs }: Cost, none: Cost): Row[] {
  const kept = `${count} results kept`
  const stall = (what: string, ours: number): Row => ({ part, what, unit: 'ms', ours, goal: atMost(20) })
  const stalls = [
    stall(`the daemon's longest stall, ${kept}`, stallMs.daemon),
    stall(`the web server's longest stall, ${kept}`, stallMs.web),
  ]
  if (count === 0) return stalls
  const row = (what: string, ours: number, value: number): Row => ({
    part,
    what,
    unit: 'ms',
    ours,
    peer: { name: 'none kept', value },
    goal: atMost(1.2),
  })
  return [
    row(`daemon's CPU a prediction, ${kept}`, cpuMs, none.cpuMs),
    row(`time a prediction at 8 clients, ${kept}`, perPredictionMs, none.perPredictionMs),
    ...stalls,
  ]
}

async function costOf(keeper: Keeper, { measureMs, warmupMs, say }: PartOptions): Promise<Cost> {
  const { count, world, demo } = keeper
  const load = { target: predictions(demo.url), clients: 8, measureMs }
  await makeLoad({ ...load, warmupMs: 0, measureMs: warmupMs })
  const before = await world.cpuMs()
  const { all, perSecond } = await makeLoad({ ...load, warmupMs: 0 })
  const after = await world.cpuMs()
  const cost = {
    cpuMs: (after.daemon - before.daemon) / all,
    perPredictionMs: 1000 / perSecond,
    stallMs: await stallOf(keeper, measureMs),
  }
  const { cpuMs, perPredictionMs, stallMs } = cost
  say(
    `  ${count} kept: daemon ${round(cpuMs)} ms of CPU, ${round(perPredictionMs)} ms, longest stalls: daemon ${round(stallMs.daemon)} ms, web server ${round(stallMs.web)} ms`,
  )
  return cost
}

/**
 * With one client, so that processes that take each other's cores count for little, while the owner looks at pages that
 * ask for what is kept.
 */
async function stallOf({ world, demo }: Keeper, measureMs: number): Promise<Cost['stallMs']> {
  await world.probed('daemon')
  await world.probed('web')
  const done = new AbortController()
  const looking = look(world, demo, done.signal)
  await makeLoad({ target: predictions(demo.url), clients: 1, warmupMs: 0, measureMs })
  done.abort()
  await looking
  const [daemon, web] = [await world.probed('daemon'), await world.probed('web')]
  return { daemon: daemon.stallMs, web: web.stallMs }
}

async function look({ owner }: OurWorld, { address }: Demo, signal: AbortSignal): Promise<void> {
  const params = placeOf(address)
  while (!signal.aborted) {
    await owner.call('GET /-/api/demos/:account/:name', { params })
    await owner.call('GET /-/api/demos/:account/:name/results', { params })
    await owner.call('GET /-/api/demos/:account/:name/queue', { params })
    await setTimeout(lookEveryMs)
  }
}
