import type { Row, Throughput } from '../measured.ts'
import { atLeast, atMost } from '../measured.ts'
import { OurWorld } from '../servers/our-world.ts'
import { bare, canned, cog, fastapi, gradioDirect, gradioQueue, litserve, predictions } from '../servers/peers.ts'
import type { Part, PartOptions } from './part.ts'
import { at, clientCountsOf, throughputOf, throughputsOfPeer } from './throughput.ts'

const ours = 'Origami, the runtime alone'

export const runtimePart: Part = {
  name: 'runtime',
  about: 'the runtime alone, as the daemon starts it, against the servers of others',
  async measure(options) {
    const found: Throughput[] = await throughputsOfPeer(canned, options)
    for (const peer of [bare, fastapi, litserve, cog, gradioDirect, gradioQueue(1)])
      found.push(...(await throughputsOfPeer(peer, options)))
    found.push(...(await runtime(options)))
    return { rows: rowsOf(found), throughputs: found }
  },
}

async function runtime(options: PartOptions): Promise<Throughput[]> {
  await using world = await OurWorld.start()
  const demo = await world.deploy('bench/models/echo', 'echo')
  const found: Throughput[] = []
  for (const clients of clientCountsOf(options))
    found.push(await throughputOf(ours, predictions(demo.runtimeUrl), clients, options))
  return found
}

function rowsOf(all: readonly Throughput[]): Row[] {
  const part = 'runtime'
  const against = (system: string, least: number): Row => ({
    part,
    what: 'the runtime alone, 32 clients',
    unit: '/s',
    ours: at(all, ours, 32).perSecond,
    peer: { name: system, value: at(all, system, 32).perSecond },
    goal: atLeast(least),
  })
  const fastest = all
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
      ours: at(all, ours, 32).p99,
      peer: { name: bare.name, value: at(all, bare.name, 32).p99 },
      goal: atMost(8),
    },
    {
      part,
      what: 'the load generator, 32 clients',
      unit: '/s',
      ours: at(all, canned.name, 32).perSecond,
      peer: { name: 'the fastest that it measured', value: fastest.perSecond },
      goal: atLeast(2),
    },
  ]
}
