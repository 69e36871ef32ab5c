import { makeLoad, type Target } from '../load/load.ts'
import type { Throughput } from '../measured.ts'
import type { Peer } from '../servers/peers.ts'
import type { PartOptions } from './part.ts'

export const allClientCounts = [1, 8, 32]
const fewer = [1, 32]

/** At how many clients each system is measured. */
export const clientCountsOf = ({ isQuick }: PartOptions): readonly number[] => (isQuick ? fewer : allClientCounts)

/** Measures one system that runs, at one number of clients. */
export async function throughputOf(
  system: string,
  target: Target,
  clients: number,
  { measureMs, warmupMs, say }: PartOptions,
): Promise<Throughput> {
  const { perSecond, p50, p99, failed, failure } = await makeLoad({ target, clients, warmupMs, measureMs })
  const failures = failed === 0 ? '' : `, ${failed} failed: ${failure?.slice(0, 200)}`
  say(`  ${system}, ${clients} at a time: ${round(perSecond)}/s, p50 ${round(p50)} ms, p99 ${round(p99)} ms${failures}`)
  return { system, clients, perSecond, p50, p99, failed }
}

/** Starts a peer, measures it at each number of clients, and ends it. */
export async function throughputsOfPeer(peer: Peer, options: PartOptions): Promise<Throughput[]> {
  await using server = await peer.start()
  const found: Throughput[] = []
  for (const clients of clientCountsOf(options))
    found.push(await throughputOf(peer.name, peer.target(server.url), clients, options))
  return found
}

/** The one of a system at a number of clients. Throws Error where it was not measured. */
export function at(all: readonly Throughput[], system: string, clients: number): Throughput {
  const found = all.find((one) => one.system === system && one.clients === clients)
  if (!found) throw new Error(`${system} was not measured at ${clients} clients`)
  return found
}

export const round = (value: number): string =>
  Math.abs(value) >= 100 ? value.toFixed(0) : Number(value.toPrecision(3)).toString()
