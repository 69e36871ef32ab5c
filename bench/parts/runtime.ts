import type { Row, Throughput } from '../measured.ts'
import { atLeast, atMost } from '../measured.ts'
import type { Demo } from '../servers/our-world.ts'
import { bare, canned, cog, fastapi, gradioDirect, gradioQueue, litserve, predictions } from '../servers/peers.ts'
import type { Part, PartOptions } from './part.ts'
import { at, clientCountsOf, throughputOf, throughputsOfPeer } from './throughput.ts'

const ours = 'Origami, the runtime alone'
/** Those that goals compare with, and all that are worth knowing. */
const goals = [canned, bare, litserve, gradioQueue(1)]
const all = [canned, bare, fastapi, litserve, cog, gradioDirect, gradioQueue(1)]

export const runtimePart: Part = {
  name: 'runtime',
  about: 'the runtime alone, as the daemon starts it, against the servers of others',
  async open(options, opened) {
    const world = await options.world(opened)
    const demo = await world.deploy('bench/models/echo', 'runtime')
    return async () => {
      const found: Throughput[] = []
      for (const peer of options.isQuick ? goals : all) found.push(...(await throughputsOfPeer(peer, options)))
      found.push(...(await runtime(demo, options)))
      return { rows: rowsOf(found), throughputs: found }
    }
  },
}

async function runtime(demo: Demo, options: PartOptions): Promise<Throughput[]> {
  const found: Throughput[] = []
  for (const clients of clientCountsOf(options))
    found.push(await throughputOf(ours, predictions(demo.runtimeUrl), clients, options))
  return found
}

function rowsOf(found: readonly Throughput[]): Row[] {
  const part = 'runtime'
  const against = (system: string, least: number): Row => ({
    part,
    what: 'the runtime alone, 32 clients',
    unit: '/s',
    ours: at(found, ours, 32).perSecond,
    peer: { name: system, value: at(found, system, 32).perSecond },
    goal: atLeast(least),
  })
  const fastest = found
    .filter(({ system }) => system !== canned.name)
    .reduce((most, one) => (one.perSecond > most.perSecond ? one : most))
  return [
    against(bare.name, 0.5),
    against(gradioQueue(1).name, 100),
    against(litserve.name, 6),
    {
      part,
      what: 'its p99, 32 clients',
      unit: 'ms',
      ours: at(found, ours, 32).p99,
      peer: { name: bare.name, value: at(found, bare.name, 32).p99 },
      goal: atMost(8),
    },
    {
      part,
      what: 'the load generator, 32 clients',
      unit: '/s',
      ours: at(found, canned.name, 32).perSecond,
      peer: { name: 'the fastest that it measured', value: fastest.perSecond },
      goal: atLeast(2),
    },
  ]
}
