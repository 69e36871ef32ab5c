import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { orPortTaken } from '../src/port-taken.ts'

const listen = (port: number, host: string) =>
  new Promise((listening, failed) =>
    createServer()
      .once('error', failed)
      .listen(port, host, () => listening(port)),
  )

test.each(['192.0.2.1', 'nowhere.invalid'])(
  'an address that is none of this machine (%s) is said to be that',
  async (host) => {
    await expect(orPortTaken('--port', listen(0, host))).rejects.toThrow(
      `host: expected an address that this machine has, such as 127.0.0.1, got ${host} (`,
    )
  },
)
