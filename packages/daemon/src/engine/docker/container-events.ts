import { setTimeout } from 'node:timers/promises'
import { logger } from '@origami/host/logger'
import type { InstanceId } from '../engine.ts'
import type { DockerClient } from './docker-client.ts'
import { jsonLines } from './json-lines.ts'

const log = logger('engine')

const reconnectMs = 1000

/**
 * Tells of which container each event is, from now on, until the signal aborts, after an `undefined` first: what is
 * asked then is no older than the first event. Docker's stream of events drops; it is opened again, from the last event
 * on. `filters`: as Docker's API takes them.
 */
export async function* containerEvents(
  client: DockerClient,
  filters: Readonly<Record<string, readonly string[]>>,
  signal: AbortSignal,
): AsyncIterable<InstanceId | undefined> {
  let since = nanoseconds(BigInt(Date.now()) * 1_000_000n)
  yield undefined
  while (!signal.aborted) {
    try {
      const stream = await client.events(filters, since, signal)
      for await (const { line, value } of jsonLines(stream)) {
        since = after(line) ?? since
        const { id } = value as { id?: InstanceId }
        if (id) yield id
      }
    } catch (error) {
      if (signal.aborted) return
      log.error('Docker no longer tells what happens to containers; trying again', error)
    }
    // It rejects when the signal aborts, which ends the loop.
    await setTimeout(reconnectMs, undefined, { signal }).catch(() => undefined)
  }
}

/** As Docker's `since` takes a time: seconds, with nanoseconds. */
const nanoseconds = (time: bigint): string =>
  `${time / 1_000_000_000n}.${String(time % 1_000_000_000n).padStart(9, '0')}`

/** Just after an event: its time does not fit a number. */
const after = (event: string): string | undefined => {
  const time = /"timeNano":(\d+)/.exec(event)?.[1]
  return time && nanoseconds(BigInt(time) + 1n)
}
