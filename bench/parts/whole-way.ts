import { makeLoad } from '../load/load.ts'
import type { Row, Throughput } from '../measured.ts'
import { atLeast, atMost } from '../measured.ts'
import { type Demo, type Hop, hops, type OurWorld } from '../servers/our-world.ts'
import { bare, gradioQueue, predictions } from '../servers/peers.ts'
import type { Part, PartOptions } from './part.ts'
import { allClientCounts, at, round, throughputOf, throughputsOfPeer } from './throughput.ts'

const part = 'way'
const concurrencies = [1, 8] as const
const systemOf = (concurrency: number): string => `Origami, the whole way, concurrency ${concurrency}`
type CpuMs = Record<Hop, number>

export const wholeWayPart: Part = {
  name: part,
  about: "web server, daemon, instance and back, durable, against Gradio's queue; and its CPU time a prediction",
  async open(options, opened) {
    const world = await options.world(opened)
    const demos = new Map<number, Demo>()
    for (const concurrency of concurrencies)
      demos.set(concurrency, await world.deploy('bench/models/echo', `echo-${concurrency}`, concurrency))
    return async () => {
      const found: Throughput[] = await throughputsOfPeer(bare, options)
      for (const concurrency of concurrencies)
        found.push(...(await throughputsOfPeer(gradioQueue(concurrency), options)))
      for (const [concurrency, demo] of demos)
        for (const clients of allClientCounts)
          found.push(await throughputOf(systemOf(concurrency), predictions(demo.url), clients, options))
      const rows = concurrencies.flatMap((concurrency) => rowsOf(found, concurrency))
      const cpu = await cpuOf(world, demos.get(1), options)
      return { rows: [...rows, ...cpuRows(cpu)], throughputs: found }
    }
  },
}

/** The CPU time of one prediction at 32 clients, from idle to idle, so that nothing of it is outside. */
async function cpuOf(world: OurWorld, demo: Demo | undefined, options: PartOptions): Promise<CpuMs> {
  if (!demo) throw new Error('expected a demo with concurrency 1')
  const before = await world.cpuMs()
  const target = predictions(demo.url)
  const { all } = await makeLoad({ target, clients: 32, warmupMs: 0, measureMs: options.measureMs })
  const after = await world.cpuMs()
  const each = hops.map((hop) => [hop, (after[hop] - before[hop]) / all] as const)
  const cpu = { ...after, ...Object.fromEntries(each) }
  options.say(`  CPU a prediction: ${hops.map((hop) => `${hop} ${round(cpu[hop])} ms`).join(', ')}`)
  return cpu
}

function rowsOf(all: readonly Throughput[], concurrency: number): Row[] {
  const system = systemOf(concurrency)
  const what = `the whole way, concurrency ${concurrency}`
  const gradio = concurrencies
    .filter((each) => each <= concurrency)
    .map((each) => at(all, gradioQueue(each).name, 32))
    .reduce((faster, one) => (one.perSecond > faster.perSecond ? one : faster))
  const at32 = at(all, system, 32)
  const row = (more: Omit<Row, 'part'>): Row => ({ part, ...more })
  return [
    row({
      what: `${what}, 32 clients`,
      unit: '/s',
      ours: at32.perSecond,
      peer: { name: "Gradio's queue", value: gradio.perSecond },
      goal: atLeast(20),
    }),
    row({
      what: `${what}, p50 at 1 client`,
      unit: 'ms',
      ours: at(all, system, 1).p50,
      peer: { name: bare.name, value: at(all, bare.name, 1).p50 },
      goal: atMost(12),
    }),
    row({
      what: `${what}, 32 clients against 8`,
      unit: '/s',
      ours: at32.perSecond,
      peer: { name: 'the same with 8 clients', value: at(all, system, 8).perSecond },
      goal: atLeast(1),
    }),
  ]
}

function cpuRows({ web, daemon, runtime }: CpuMs): Row[] {
  const row = (what: string, ours: number, most: number): Row => ({ part, what, unit: 'ms', ours, goal: atMost(most) })
  return [
    row('CPU a prediction, web + daemon + runtime', web + daemon + runtime, 0.6),
    row('CPU a prediction, web', web, 0.3),
    row('CPU a prediction, daemon', daemon, 0.3),
    row('CPU a prediction, runtime', runtime, 0.3),
  ]
}
