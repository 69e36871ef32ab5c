import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * A port of this host that nobody listens at. It is of those that the kernel gives to nobody who asks for any (it
 * begins at 32768), so that a connection or a server beside us takes it as seldom as can be before the caller listens
 * there.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_768)
    const server = createServer()
    try {
      await once(server.listen(port, '127.0.0.1'), 'listening')
      server.close()
      await once(server, 'close')
      return port
    } catch {
      // Somebody listens there: another is tried.
    }
  }
}
