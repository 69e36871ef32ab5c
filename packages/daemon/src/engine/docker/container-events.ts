import { setTimeout } from 'node:timers/promises'
import { logger } from '@origami/host/logger'
import type { InstanceId } from '../engine.ts'
import type { DockerClient } from './docker-client.ts'
import { jsonLines } from './json-lines.ts'

const log = logger('engine')

const reconnectMs = 1000

/**
 * Yields the container of each event from now on, until the signal aborts. It yields `undefined` first: what is asked
 * after that is not older than the first event. A broken stream is opened again after the last event. `filters` are
 * those of Docker's API.
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
    // An aborted wait rejects, and the loop ends by its condition.
    await setTimeout(reconnectMs, undefined, { signal }).catch(() => undefined)
  }
}

/** A time as Docker's `since` expects it: seconds with nanoseconds. */
const nanoseconds = (time: bigint): string =>
  `${time / 1_000_000_000n}.${String(time % 1_000_000_000n).padStart(9, '0')}`

/** The time just after an event, with all its digits. Undefined when the event says none that can be read. */
const after = (event: string): string | undefined => {
  const time = /"timeNano":(\d+)/.exec(event)?.[1]
  return time && nanoseconds(BigInt(time) + 1n)
}
