import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { freePort } from './free-port.ts'
import { Person } from './person.ts'

const root = join(import.meta.dirname, '..')
const program = ['--import', './scripts/node24.mjs', 'packages/cli/src/main.ts', 'quickstart']
const patience = 170_000

/** `npm start`, with what it printed. */
class Quickstart {
  readonly lines: string[] = []
  readonly child: ChildProcess

  constructor(flags: string[], env: Record<string, string> = {}) {
    this.child = spawn(process.execPath, [...program, ...flags], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => this.lines.push(...text.split('\n')))
  }

  async says(pattern: RegExp): Promise<string> {
    return vi.waitFor(
      () => {
        const found = this.lines.find((line) => pattern.test(line))
        expect(found, `${pattern}\n${this.lines.join('\n')}`).toBeDefined()
        return found as string
      },
      { timeout: patience, interval: 100 },
    )
  }

  async address(): Promise<string> {
    return (await this.says(/^Origami is at /)).replace('Origami is at ', '')
  }

  /** Ends it as Ctrl-C does. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const exited = once(this.child, 'exit')
    this.child.kill('SIGINT')
    await exited
  }
}

const port = async () => String(await freePort())

describe('npm start', () => {
  let data: string
  let flags: string[]
  let origami: Quickstart
  let visitor: Person

  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'origami-start-'))
    flags = ['--data', data, '--port', await port(), '--daemon-port', await port()]
    origami = new Quickstart(flags)
    await origami.says(/^The gallery: /)
    visitor = new Person(await origami.address())
  }, patience + 10_000)

  afterAll(async () => {
    await origami?.end()
    await rm(data, { recursive: true, force: true })
  })

  const predict = async (name: string, input: Record<string, unknown>) =>
    visitor.prediction(`/owner/${name}`, (await visitor.submit(`/owner/${name}`, input)).id)

  test('tells each step of each example, by the route of everybody', async () => {
    for (const name of ['poet', 'digits', 'sentiment'])
      for (const step of ['queued', 'cloning', 'building', 'running'])
        await origami.says(new RegExp(`^/owner/${name}: ${step}$`))
    expect(await origami.says(/^Sign in as its owner, once: /)).toMatch(/\/-\/sign-in#[\w-]{40,}$/)
  })

  test('origami config shows what it goes by, and SIGHUP reads it again', async () => {
    const config = async () => {
      const main = join(root, 'packages/cli/src/main.ts')
      const { stdout } = await execa(process.execPath, [main, 'config', '--json', '--data', data], { cwd: root })
      return JSON.parse(stdout) as {
        running: { verb: string; pid: number; settings: { name: string; value: string }[] }[]
      }
    }
    expect((await config()).running).toMatchObject([{ verb: 'quickstart', pid: origami.child.pid }])
    await writeFile(join(data, 'origami.yaml'), 'limits: {requests: 1234}')
    origami.child.kill('SIGHUP')
    await origami.says(/^The settings were read again/)
    const [record] = (await config()).running
    expect(record?.settings).toContainEqual(expect.objectContaining({ name: 'limits.requests', value: '1234' }))
    expect(record?.settings).toContainEqual(expect.objectContaining({ name: 'engine', value: 'process' }))
  })

  test('sentiment answers', async () => {
    const { status, output } = await predict('sentiment', { review: 'What a joy, I love it!' })
    expect([status, Object.keys(output as object).toSorted()]).toEqual([
      'succeeded',
      ['negative', 'neutral', 'positive'],
    ])
    expect((output as { positive: number }).positive).toBeGreaterThan(0.5)
  })

  test('digits answers its examples', async () => {
    const { examples } = await visitor.demo('/owner/digits').call('GET /schema', {})
    const best = await Promise.all(
      examples.map(async (example) => {
        const { output, error } = await predict('digits', example)
        expect(error).toBeNull()
        return Object.entries(output as Record<string, number>).toSorted(([, a], [, b]) => b - a)[0]?.[0]
      }),
    )
    expect(best).toEqual(['Three', 'Seven', 'Zero'])
  })

  test('poet streams, with progress', async () => {
    const body = JSON.stringify({ input: { topic: 'rain', lines: 2, pause: 0 } })
    const headers = { accept: 'text/event-stream', 'content-type': 'application/json' }
    const events = await (await visitor.fetch('/owner/poet/predictions', { method: 'POST', headers, body })).text()
    expect(events.match(/^event: output$/gm)).toHaveLength(8)
    expect(events).toContain('"note":"line 2 of 2"')
    expect(events).toContain('2 quiet lines about rain')
  })

  test('the link signs in its owner, once', async () => {
    const secret = (await origami.says(/^Sign in as its owner/)).split('#')[1]
    const owner = new Person(visitor.url)
    await owner.session()
    expect(await owner.status('POST', '/-/api/session/link', { secret })).toBe(200)
    expect((await owner.session()).account).toMatchObject({ owner: true, may_deploy: true })
    expect(await owner.status('POST', '/-/api/session/link', { secret })).toBe(401)
  })

  test('Ctrl-C ends everything; started again all is as it was, what waited is answered, what ran is told', async () => {
    const running = await visitor.submit('/owner/poet', { topic: 'patience', lines: 40, pause: 2 })
    await visitor.prediction('/owner/poet', running.id, ({ status }) => status === 'processing')
    const waiting = await visitor.submit('/owner/poet', { topic: 'rain', lines: 1, pause: 0 })
    await origami.end()
    expect(origami.child.exitCode).toBe(0)
    expect((await execa('pgrep', ['-f', data], { reject: false })).stdout).toBe('')
    origami = new Quickstart(flags)
    for (const name of ['poet', 'digits', 'sentiment']) await origami.says(new RegExp(`^/${name}: as it was$`))
    expect(await visitor.prediction('/owner/poet', running.id)).toMatchObject({
      status: 'failed',
      reason: 'interrupted',
    })
    expect(await visitor.prediction('/owner/poet', waiting.id)).toMatchObject({ status: 'succeeded' })
  })

  test.each(['--port', '--daemon-port'])('a %s that is taken is an error that names both', async (flag) => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const taken = String((server.address() as AddressInfo).port)
    const other = flag === '--port' ? '--daemon-port' : '--port'
    const folder = await mkdtemp(join(tmpdir(), 'origami-taken-'))
    const second = new Quickstart(['--data', folder, flag, taken, other, await port()])
    await once(second.child, 'close')
    expect([second.child.exitCode, second.lines.filter((line) => line !== '')]).toEqual([
      1,
      [`port ${taken} is taken by another program; ${flag} chooses another`],
    ])
    server.close()
    await rm(folder, { recursive: true })
  })
})

describe('npm start without Python', () => {
  test('leaves out what needs it, and says so; the rest works', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'origami-bare-'))
    const bin = join(folder, 'bin')
    await mkdir(bin)
    for (const name of ['git', 'prlimit', 'sh', 'uname', 'sed', 'env']) {
      const { stdout } = await execa('which', [name])
      await symlink(stdout, join(bin, name))
    }
    const npm = (await execa('which', ['npm'])).stdout
    const path = [bin, dirname(process.execPath)].join(':')
    await symlink(npm, join(bin, 'npm'))
    const flags = ['--data', join(folder, 'data'), '--port', await port(), '--daemon-port', await port()]
    const origami = new Quickstart(flags, { PATH: path })
    try {
      await origami.says(/^The gallery: /)
      expect(origami.lines).toContain('/digits: left out, since it needs Python 3.10 or newer (python3)')
      expect(origami.lines).toContain('/poet: left out, since it needs Python 3.10 or newer (python3)')
      const visitor = new Person(await origami.address())
      const { id } = await visitor.submit('/owner/sentiment', { review: 'Lovely' })
      expect(await visitor.prediction('/owner/sentiment', id)).toMatchObject({ status: 'succeeded' })
    } finally {
      await origami.end()
      await rm(folder, { recursive: true, force: true })
    }
  })
})
