import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { bundle } from '../src/bundler/index.ts'

/** A model that ignores every request to stop. */
const model = `import os, signal, time

def stubborn():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass

def setup():
    if os.environ.get("SETUP") == "hang":
        stubborn()
    if os.environ.get("SETUP") == "fail":
        raise OSError("the weights host is away")

def predict(say: str) -> str:
    if say == "hang":
        stubborn()
    return say
`

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-stopping-'))
  await writeFile(join(folder, 'model.py'), model)
  await bundle({ folder, run: false, onLog: () => undefined }, new AbortController().signal)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe.each(['SIGTERM', 'SIGINT'] as const)('%s ends a runtime, with exit code 0 and no process left', (signal) => {
  test('before it listens', async () => {
    const other = await mkdtemp(join(tmpdir(), 'origami-stopping-'))
    await cp(folder, other, { recursive: true })
    // Its read of a pipe blocks until somebody writes.
    await rm(join(other, '.origami'))
    await promisify(execFile)('mkfifo', [join(other, '.origami')])
    await using runtime = await start({}, other)
    const manifest = await open(join(other, '.origami'), 'w')
    runtime.process.kill(signal)
    await manifest.close()
    await runtime.ends()
    await rm(other, { recursive: true, force: true })
  })

  test('while its setup hangs', async () => {
    await using runtime = await start({ SETUP: 'hang' })
    await runtime.workers()
    await runtime.endsAt(signal)
  })

  test('while a launch waits for its next try', async () => {
    await using runtime = await start({ SETUP: 'fail' })
    await runtime.health('SETUP_FAILED')
    await runtime.endsAt(signal)
  })

  test('while a prediction runs that hears no signal, a page follows it, and an upload is half sent', async () => {
    await using runtime = await start({})
    const url = await runtime.health('READY')
    const made = await fetch(`${url}/predictions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'respond-async' },
      body: JSON.stringify({ input: { say: 'hang' } }),
    })
    const { id } = (await made.json()) as { id: string }
    const events = await fetch(`${url}/predictions/${id}/events`)
    const followed = events.text().catch((error) => String(error))
    const upload = connect(Number(new URL(url).port), '127.0.0.1')
    await once(upload, 'connect')
    upload
      .on('error', () => undefined)
      .write('PUT /files/0123456789abcdef/half HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nhalf')
    await vi.waitFor(async () => expect(await isDeaf((await runtime.workers())[0])).toBe(true))
    await runtime.endsAt(signal)
    expect(await followed).toContain('"reason":"interrupted"')
  })
})

test.each([
  ['in its setup (TypeScript)', 'SETUP', 'hang'],
  ['in a prediction (Python)', 'SETUP', ''],
])('a worker whose runtime is killed ends by itself: %s', async (_, name, value) => {
  const bundled = value === 'hang' ? await typescript() : folder
  await using runtime = await start({ [name]: value }, bundled)
  if (value === 'hang') await runtime.workers()
  else {
    const url = await runtime.health('READY')
    const headers = { 'content-type': 'application/json', prefer: 'respond-async' }
    await fetch(`${url}/predictions`, { method: 'POST', headers, body: '{"input": {"say": "hang"}}' })
    await vi.waitFor(async () => expect(await isDeaf((await runtime.workers())[0])).toBe(true))
  }
  runtime.process.kill('SIGKILL')
  await runtime.leavesNothing()
})

test('a second signal does not cut the first one short', async () => {
  await using runtime = await start({ SETUP: 'hang' })
  await runtime.workers()
  runtime.process.kill('SIGTERM')
  await runtime.endsAt('SIGTERM')
})

/** A bundle whose setup never ends. */
async function typescript(): Promise<string> {
  const other = join(folder, 'typescript')
  await mkdir(other, { recursive: true })
  await writeFile(
    join(other, 'model.ts'),
    `import { demo, text } from 'origami-lib'
export default demo({
  inputs: { say: text() },
  outputs: { said: text() },
  setup: () => new Promise(() => setInterval(() => undefined, 60_000)),
  predict: ({ say }) => say,
})
`,
  )
  await bundle({ folder: other, run: false, onLog: () => undefined }, new AbortController().signal)
  return other
}

interface Running extends AsyncDisposable {
  readonly process: ChildProcess
  /** The address, once its health has this status. */
  health(status: string): Promise<string>
  /** Its workers, once there are any. */
  workers(): Promise<number[]>
  ends(): Promise<void>
  leavesNothing(): Promise<void>
  endsAt(signal: NodeJS.Signals): Promise<void>
}

async function start(env: Record<string, string>, bundled = folder): Promise<Running> {
  const home = await mkdtemp(join(tmpdir(), 'origami-stopping-home-'))
  const portFile = join(home, 'port')
  const started = spawn(process.execPath, [join(bundled, 'origami/server.mjs')], {
    cwd: home,
    env: {
      ...process.env,
      ...env,
      ...{ PORT: '0', ORIGAMI_HOST: '127.0.0.1', ORIGAMI_PORT_FILE: portFile, ORIGAMI_FILES: join(home, 'files') },
    },
    stdio: 'ignore',
  })
  const exit = once(started, 'exit')
  const mine = () => withEnvironment(`ORIGAMI_PORT_FILE=${portFile}`)
  const ends = async () => {
    expect(await exit).toEqual([0, null])
    expect(await mine()).toEqual([])
  }
  return {
    process: started,
    health: (status) =>
      vi.waitFor(async () => {
        const url = `http://127.0.0.1:${await readFile(portFile, 'utf8')}`
        expect(await (await fetch(`${url}/health-check`)).json()).toMatchObject({ status })
        return url
      }),
    workers: () =>
      vi.waitFor(async () => {
        const workers = (await mine()).filter((pid) => pid !== started.pid)
        expect(workers).not.toEqual([])
        return workers
      }),
    ends,
    leavesNothing: () => vi.waitFor(async () => expect(await mine()).toEqual([])),
    async endsAt(signal) {
      started.kill(signal)
      await ends()
    },
    async [Symbol.asyncDispose]() {
      started.kill('SIGKILL')
      await exit
      for (const pid of await mine()) process.kill(pid, 'SIGKILL')
      await rm(home, { recursive: true, force: true })
    },
  }
}

/** Processes that were started with this in their environment, and that are no zombies. */
async function withEnvironment(line: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const has = await Promise.all(
    pids.map(async (pid) =>
      (await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')).split('\0').includes(line),
    ),
  )
  return pids.filter((pid, index) => has[index] && existsSync(`/proc/${pid}/exe`)).map(Number)
}

/** Whether a process ignores SIGUSR1, as proc(5) has it. */
async function isDeaf(pid: number | undefined): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const ignored = BigInt(`0x${/SigIgn:\s*([0-9a-f]+)/.exec(status)?.[1] ?? '0'}`)
  return ((ignored >> 9n) & 1n) === 1n
}
