import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Ports are of those that the kernel gives to nobody who asks for any, which begin at 32768. */
const lowest = 20_000
const perWorker = 1500
/** Of the workers that run at once each has ports of its own: what one found free no other takes meanwhile. */
const first = lowest + (Number(process.env.VITEST_POOL_ID ?? 0) % 8) * perWorker
let last = randomInt(perWorker)

/** A port of this host that nobody listens at, another one each time. */
export async function freePort(): Promise<number> {
  for (;;) {
    last = (last + 1) % perWorker
    const server = createServer()
    try {
      await once(server.listen(first + last, '127.0.0.1'), 'listening')
      server.close()
      await once(server, 'close')
      return first + last
    } catch {
      // Somebody listens at this port, so another is tried.
    }
  }
}
