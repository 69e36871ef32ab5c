import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freePort } from './free-port.ts'
import { startOrigamiVerb } from './verb.ts'

test('a web server that strangers reach ends when its daemon turns out to isolate nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'origami-untrusted-'))
  try {
    const port = await freePort()
    const url = `https://127.0.0.1:${port}`
    const flags = ['--data', folder, '--port', '0', '--daemon', url, '--public-url', 'http://demos.test']
    await using web = await startOrigamiVerb('web', flags, /Origami is at (\S+)/)
    const daemonFlags = ['--data', folder, '--daemon-port', String(port), '--engine', 'process']
    await using _daemon = await startOrigamiVerb('daemon', daemonFlags, /The daemon listens at (\S+)/)
    expect(await web.ended()).toBe(1)
    expect(web.output).toContain('(the process engine isolates nothing), and demos.test is not loopback')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
