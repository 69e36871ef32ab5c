import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Person } from './person.ts'
import { World } from './world.ts'

const main = join(import.meta.dirname, '../packages/cli/src/main.ts')

describe('origami login', () => {
  let world: World
  let ann: Person
  let home: string
  beforeAll(async () => {
    world = await World.start({ engine: 'process' })
    ann = await world.person('ann')
    home = await mkdtemp(join(tmpdir(), 'origami-home-'))
  })
  afterAll(async () => {
    await world[Symbol.asyncDispose]()
    await rm(home, { recursive: true, force: true })
  })

  const env = () => ({ HOME: home, ORIGAMI_URL: '', ORIGAMI_TOKEN: '' })
  const origami = (...args: string[]) =>
    execa(process.execPath, [main, ...args], { env: env(), reject: false, stdin: 'ignore' })

  /** Runs the command in a terminal while ann confirms it on the page. */
  async function answered(allow: boolean): Promise<{ code: number | null; printed: string }> {
    const command = `${process.execPath} ${main} login ${world.url}`
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      env: { ...process.env, ...env() },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const printed = gathered(child)
    const code = await vi.waitFor(() => expectMatch(printed(), /\/-\/device\?code=([\w-]+)/))
    expect(printed()).toContain(`confirm the code ${code}`)
    await ann.call('POST /-/api/device/answer', { body: { code, allow } })
    const [exit] = (await once(child, 'close')) as [number | null]
    return { code: exit, printed: printed() }
  }

  test('shows a code, waits for the browser, and keeps a token that later verbs use', async () => {
    const { code, printed } = await answered(true)
    expect([code, printed]).toEqual([0, expect.stringContaining(`Signed in to ${world.url} as ann.`)])
    const file = join(home, '.origami/servers.json')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
      latest: world.url,
      servers: { [world.url]: { handle: 'ann' } },
    })
    expect(await origami('status', '--json')).toMatchObject({ exitCode: 0, stdout: '[]' })
  })

  test('that was denied says so and ends with 1', async () => {
    const { code, printed } = await answered(false)
    expect([code, printed]).toEqual([1, expect.stringContaining('it was denied in the browser')])
  })

  test('without a terminal is words and 1', async () => {
    const { exitCode, stderr } = await origami('login', world.url)
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('expected a terminal to show a code in')])
    expect((await origami('login', 'nonsense://x')).exitCode).toBe(1)
  })
})

describe('origami login, of what a server says', () => {
  let server: Server
  let url: string
  const replies: { status: number; body: unknown }[] = []
  beforeAll(async () => {
    server = createServer((request, response) => {
      const device = {
        device_code: 'd',
        user_code: 'A\u001b[2JB',
        verification_uri: 'u',
        verification_uri_complete: 'u',
        expires_in: 60,
        interval: 0,
      }
      const { status, body } =
        request.url === '/-/api/device' ? { status: 200, body: device } : (replies.shift() ?? { status: 503, body: {} })
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  const refusal = (reason: string) => ({ status: 400, body: { error: reason, reason } })

  test.each([
    ['expired_token', 'nobody confirmed it in time'],
    ['used', 'the code was used already'],
  ])('%s is words and 1, after waiting, and after a server that was away for a moment', async (reason, message) => {
    replies.push(refusal('authorization_pending'), { status: 503, body: { error: 'Starting.' } }, refusal(reason))
    const { exitCode, stdout, stderr } = await execa(process.execPath, [main, 'login', url, '--json'], {
      reject: false,
    })
    expect([exitCode, stderr, replies]).toEqual([1, expect.stringContaining(message), []])
    expect(JSON.parse(stdout)).not.toHaveProperty('device_code')
  })
})

function gathered(child: ChildProcess): () => string {
  let printed = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  return () => printed
}

function expectMatch(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[1]
  expect(found, text).toBeDefined()
  return found as string
}
