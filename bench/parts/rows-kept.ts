import { makeLoad } from '../load/load.ts'
import { atMost, type Row } from '../measured.ts'
import { type Demo, OurWorld } from '../servers/our-world.ts'
import { predictions } from '../servers/peers.ts'
import { fillPredictions } from '../servers/predictions-table.ts'
import type { Part, PartOptions } from './part.ts'
import { round } from './throughput.ts'

const part = 'rows'
const full = [100_000, 1_000_000]
const quick = [10_000]

interface Cost {
  readonly cpuMs: number
  readonly perPredictionMs: number
  /** How much longer than usual the longest took. */
  readonly stallMs: number
}

export const rowsKeptPart: Part = {
  name: part,
  about: `what a prediction costs when ${full.join(' and ')} results are kept, against none`,
  async measure(options) {
    await using world = await OurWorld.start()
    const demo = await world.deploy('bench/models/echo', 'echo')
    const none = await costOf(world, demo, 0, options)
    const rows: Row[] = []
    let kept = 0
    for (const count of options.isQuick ? quick : full) {
      await world.whileDaemonIsStopped(() => fillPredictions(world.world.folder, count - kept))
      kept = count
      rows.push(...rowsOf(count, await costOf(world, demo, count, options), none))
    }
    return { rows }
  },
}

function rowsOf(kept: number, cost: Cost, none: Cost): Row[] {
  const row = { part, unit: 'ms', goal: atMost(1.2) } as const
  const peer = (value: number) => ({ name: 'none kept', value })
  return [
    { ...row, what: `daemon's CPU a prediction, ${kept} results kept`, ours: cost.cpuMs, peer: peer(none.cpuMs) },
    {
      ...row,
      what: `time a prediction at 8 clients, ${kept} results kept`,
      ours: cost.perPredictionMs,
      peer: peer(none.perPredictionMs),
    },
    {
      part,
      what: `the longest above the median, ${kept} results kept`,
      unit: 'ms',
      ours: cost.stallMs,
      goal: atMost(20),
    },
  ]
}

async function costOf(world: OurWorld, demo: Demo, kept: number, options: PartOptions): Promise<Cost> {
  const target = predictions(demo.url)
  const load = { target, clients: 8, warmupMs: 0, measureMs: 0 }
  await makeLoad({ ...load, times: 1 })
  const before = await world.cpuMs()
  const { all, perSecond, p50, longest } = await makeLoad({ ...load, times: options.isQuick ? 4 : 25 })
  const after = await world.cpuMs()
  const cost = {
    cpuMs: (after.daemon - before.daemon) / all,
    perPredictionMs: 1000 / perSecond,
    stallMs: longest - p50,
  }
  const { cpuMs, perPredictionMs, stallMs } = cost
  options.say(
    `  ${kept} kept: daemon ${round(cpuMs)} ms of CPU, ${round(perPredictionMs)} ms, the longest ${round(stallMs)} ms more`,
  )
  return cost
}
