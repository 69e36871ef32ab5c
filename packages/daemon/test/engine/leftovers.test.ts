import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { family, kill, processesWith } from '@origami/host/process-groups'
import { isAlive, type ProcessIdentity, startTime } from '@origami/host/process-identity'
import { type DemoId, type DeploymentId, manifestSchema, randomId } from '@origami/protocol/demo'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { defaultLimits } from '../../src/config.ts'
import type { ImageRef, InstanceId } from '../../src/engine/engine.ts'
import { ProcessEngine } from '../../src/engine/process/process-engine.ts'
import { markedEnvironment, markOf } from '../../src/state/leftovers.ts'
import { runProgram } from '../../src/state/program.ts'
import { spec } from './contract.ts'

const whole = new AbortController().signal
const demo = '0123456789abcdef0123456789abcdef' as DemoId
const deployment = 'deployment1' as DeploymentId

let folder: string
let owner: string
let ours: ChildProcess[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-leftovers-'))
  owner = randomId()
  ours = []
})
afterEach(async () => {
  for (const child of ours) child.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

const engine = (killMs = defaultLimits.killMs) =>
  new ProcessEngine({
    folder: join(folder, 'engine'),
    owner,
    environment: process.env,
    limits: { ...defaultLimits, killMs },
  })
const builds = (): Promise<ProcessIdentity[]> =>
  processesWith('environ', (word) => word.startsWith(`ORIGAMI_BUILD=${owner}/`))
const images = () => readdir(join(folder, 'engine/images'))

async function bundle(files: Record<string, string> = {}): Promise<string> {
  const path = await mkdtemp(join(folder, 'bundle-'))
  await mkdir(join(path, 'origami'))
  await cp(join(import.meta.dirname, 'inhabitant.mjs'), join(path, 'origami/server.mjs'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text)
  return path
}

async function sleeper(env: Record<string, string> = {}): Promise<ProcessIdentity & { child: ChildProcess }> {
  const child = spawn('sleep', ['86400'], { stdio: 'ignore', env: { PATH: process.env.PATH, ...env } })
  ours.push(child)
  await once(child, 'spawn')
  const pid = child.pid as number
  return { pid, started: startTime(pid) ?? '', child }
}

describe('what a build started', () => {
  let registry: Server
  beforeEach(async () => {
    registry = createServer().listen(0, '127.0.0.1')
    await once(registry, 'listening')
  })
  afterEach(() => {
    registry.closeAllConnections()
    registry.close()
  })
  /** A bundle whose installation never ends. */
  const endless = () =>
    bundle({
      'package.json': '{ "dependencies": { "left-pad": "1" } }',
      '.npmrc': `registry=http://127.0.0.1:${(registry.address() as AddressInfo).port}/\n`,
    })

  test('by a daemon that was killed is ended by the next one, and nothing is left in its folder', async () => {
    const asked = once(registry, 'request')
    const daemon = fork(join(import.meta.dirname, 'builder.mjs'), [join(folder, 'engine'), owner, await endless()])
    ours.push(daemon)
    await asked
    const gone = once(daemon, 'exit')
    daemon.kill('SIGKILL')
    await gone
    expect((await builds()).length).toBeGreaterThan(0)
    expect(await images()).toHaveLength(1)
    await engine().ready()
    expect(await builds()).toEqual([])
    expect(await images()).toEqual([])
  })

  test('by a daemon that runs is left alone, also by another engine on the same folder', async () => {
    const asked = once(registry, 'request')
    const cancel = new AbortController()
    const request = {
      demo,
      deployment,
      folder: await endless(),
      manifest: manifestSchema.parse({}),
      limits: { memoryBytes: 1 },
      user: 'ann',
      onLog: () => {},
    }
    const first = engine()
    await first.ready()
    const building = first.build(request, cancel.signal)
    building.catch(() => undefined)
    await asked
    const before = await builds()
    await first.ready()
    expect(before.filter(isAlive)).toEqual(before)
    expect(await images()).toHaveLength(1)
    cancel.abort('canceled')
    await expect(building).rejects.toBe('canceled')
    expect(await images()).toEqual([])
  })

  test('and of another state folder is left alone', async () => {
    const theirs = await sleeper(markedEnvironment(`somebody-else/999999999.1/${deployment}`))
    await engine().ready()
    expect(isAlive(theirs)).toBe(true)
  })

  test('ends with it, in whatever session it is; an abort after its end harms nobody', async () => {
    const cancel = new AbortController()
    const lines: string[] = []
    const mark = markOf(owner, deployment)
    const args = ['-c', 'setsid sleep 86400 & echo started']
    const env = { PATH: process.env.PATH ?? '' }
    const program = { command: 'sh', args, cwd: folder, env, mark, onLine: (text: string) => void lines.push(text) }
    expect(await runProgram(program, cancel.signal)).toMatchObject({ failed: false, code: 0 })
    cancel.abort()
    expect(lines).toEqual(['started'])
    await vi.waitFor(async () => expect(await builds()).toEqual([]))
  })

  test('waits for the log: a program prints no faster than its lines are taken', async () => {
    const taken = Promise.withResolvers<void>()
    const file = join(folder, 'printed')
    const script = `import { writeSync, writeFileSync } from 'node:fs'
      for (let n = 1; n <= 64; n += 1) { writeSync(1, 'x'.repeat(65535) + '\\n'); writeFileSync(${JSON.stringify(file)}, String(n)) }`
    let lines = 0
    const onLine = async () => {
      lines += 1
      if (lines === 1) await taken.promise
    }
    const args = ['--input-type=module', '-e', script]
    const running = runProgram(
      { command: process.execPath, args, cwd: folder, env: {}, mark: markOf(owner, deployment), onLine },
      whole,
    )
    await vi.waitFor(async () => expect(Number(await readFile(file, 'utf8'))).toBeGreaterThan(0))
    const [child] = await builds()
    await vi.waitFor(async () => expect(await readFile(`/proc/${child?.pid}/wchan`, 'utf8')).toMatch(/pipe|sock/))
    expect(Number(await readFile(file, 'utf8'))).toBeLessThan(32)
    taken.resolve()
    await running
    expect(lines).toBe(64)
  })
})

describe('an instance of the process engine', () => {
  const about = (id: string) => join(folder, 'engine/instances', id, 'about.json')

  test('that a daemon started just before it died is found by its nonce, ended, and forgotten', async () => {
    const first = engine()
    await first.ready()
    const image = (await bundle()) as ImageRef
    const { id } = await first.start({ demo, deployment, image, spec }, whole)
    const { pid, started, ...intent } = JSON.parse(await readFile(about(id), 'utf8'))
    await writeFile(about(id), JSON.stringify(intent))
    expect(isAlive({ pid, started })).toBe(true)
    const next = engine()
    await next.ready()
    expect(isAlive({ pid, started })).toBe(false)
    expect(await next.list()).toEqual([])
    expect(existsSync(about(id))).toBe(false)
  })

  test('whose process id somebody else has by now is exited, and that process is not killed', async () => {
    const stranger = await sleeper()
    const first = engine()
    await first.ready()
    const id = 'one' as InstanceId
    await mkdir(join(folder, 'engine/instances', id), { recursive: true })
    await writeFile(
      about(id),
      JSON.stringify({ demo, deployment, image: 'x', nonce: 'x', pid: stranger.pid, started: '1' }),
    )
    expect(await first.find(id)).toMatchObject({ state: 'exited' })
    expect(await first.stop(id, 0)).toBe(false)
    expect(await first.remove(id)).toBe(true)
    expect(isAlive(stranger)).toBe(true)
    kill({ pid: stranger.pid, started: '1' })
    expect(isAlive(stranger)).toBe(true)
  })

  test('that has recorded its end is exited, though its shim is alive for a moment longer', async () => {
    const shim = await sleeper()
    await mkdir(join(folder, 'engine/instances/one'), { recursive: true })
    const { pid, started } = shim
    await writeFile(about('one'), JSON.stringify({ demo, deployment, image: 'x', nonce: 'x', pid, started }))
    expect(await engine().find('one' as InstanceId)).toMatchObject({ state: 'running' })
    const exit = { code: 3, at: '2026-11-24T12:00:00Z' }
    await writeFile(join(folder, 'engine/instances/one/exit.json'), JSON.stringify(exit))
    expect(await engine().find('one' as InstanceId)).toMatchObject({ state: 'exited', exit: { code: 3 } })
  })

  test('runs, though a late look at the one before under its id has written that it exited', async () => {
    const record = async (name: string, about: object) => {
      await mkdir(join(folder, 'engine/instances/one'), { recursive: true })
      await writeFile(join(folder, 'engine/instances/one', name), JSON.stringify(about))
    }
    const before = { demo, deployment, image: 'x', nonce: 'before', pid: process.pid, started: '1' }
    await record('about.json', before)
    const first = engine()
    expect(await first.find('one' as InstanceId)).toMatchObject({ state: 'exited' })
    const late = JSON.parse(await readFile(join(folder, 'engine/instances/one/exit.json'), 'utf8'))
    await first.remove('one' as InstanceId)
    const { pid, started } = await sleeper()
    await record('about.json', { ...before, nonce: 'after', pid, started })
    await record('exit.json', late)
    expect(await first.find('one' as InstanceId)).toMatchObject({ state: 'running' })
  })

  test('whose shim was killed by a stop before it could record the end is told as exited', async () => {
    const { pid, started } = await sleeper()
    await mkdir(join(folder, 'engine/instances/one'), { recursive: true })
    await writeFile(about('one'), JSON.stringify({ demo, deployment, image: 'x', nonce: 'x', pid, started }))
    const first = engine()
    const leaving = new AbortController()
    const exits = first.exits(leaving.signal)[Symbol.asyncIterator]()
    const told = exits.next()
    await new Promise((resolve) => setImmediate(resolve))
    await vi.waitFor(async () => expect(await first.list()).toMatchObject([{ state: 'running' }]))
    expect(await first.stop('one' as InstanceId, 0)).toBe(true)
    expect(await told).toMatchObject({ value: { id: 'one' } })
    leaving.abort()
    expect(await exits.next()).toMatchObject({ done: true })
  })

  test.each(['list', 'stop', 'remove', 'ready'] as const)(
    'whose shim was killed is ended by %s, and exited then',
    async (by) => {
      const first = engine()
      await first.ready()
      const image = (await bundle()) as ImageRef
      const { id } = await first.start({ demo, deployment, image, spec }, whole)
      await vi.waitFor(async () => expect((await first.find(id))?.endpoint).toBeDefined())
      const { pid, started } = JSON.parse(await readFile(about(id), 'utf8'))
      const members = await family({ pid, started })
      expect(members.length).toBeGreaterThan(1)
      kill({ pid, started })
      await vi.waitFor(() => expect(isAlive({ pid, started })).toBe(false))
      try {
        if (by === 'list') expect(await first.list()).toMatchObject([{ id, state: 'exited' }])
        if (by === 'stop') expect(await first.stop(id, 0)).toBe(true)
        if (by === 'remove') expect(await first.remove(id)).toBe(true)
        if (by === 'ready') await engine().ready()
        expect(members.filter(isAlive)).toEqual([])
      } finally {
        for (const one of members) kill(one)
      }
    },
  )

  test('whose log cannot be written loses lines, and runs on; later ones are written again', async () => {
    const first = engine()
    await first.ready()
    const printed = join(folder, 'printed')
    const server = `import { writeSync, writeFileSync } from 'node:fs'
      for (let n = 0; n < 32; n += 1) writeSync(1, 'lost'.repeat(16_000) + '\\n')
      writeFileSync(${JSON.stringify(printed)}, '')
      setInterval(() => console.log('later'), 20)`
    const image = (await bundle({ 'origami/server.mjs': server })) as ImageRef
    const id = `${demo.slice(0, 8)}-${deployment}` as InstanceId
    // A folder is in the place of the log file, so each write fails.
    const log = join(folder, 'engine/instances', id, `output-${'0'.repeat(16)}`)
    await mkdir(log, { recursive: true })
    await first.start({ demo, deployment, image, spec }, whole)
    try {
      await vi.waitFor(() => expect(existsSync(printed)).toBe(true))
      expect(await first.find(id)).toMatchObject({ state: 'running' })
      await rm(log, { recursive: true })
      await vi.waitFor(async () => expect(await readFile(log, 'utf8')).toMatch(/^later\n/m))
    } finally {
      await first.remove(id)
    }
  })

  test('whose records are half written ends no list', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    const first = engine()
    await first.ready()
    await mkdir(join(folder, 'engine/instances/broken'), { recursive: true })
    await writeFile(about('broken'), '{"demo":')
    expect(await first.list()).toEqual([])
    expect(await first.remove('broken' as InstanceId)).toBe(true)
    expect(logged).toHaveBeenCalled()
    logged.mockRestore()
  })

  test.runIf(process.getuid?.() === 0)('that cannot be killed: stop has an end, and says so', async () => {
    // This account cannot kill a process of another one, which stands for one that hangs in the kernel.
    const theirs = await sleeper()
    const id = 'one'
    await mkdir(join(folder, 'engine/instances', id), { recursive: true })
    await writeFile(
      about(id),
      JSON.stringify({ demo, deployment, image: 'x', nonce: 'x', pid: theirs.pid, started: theirs.started }),
    )
    for (const path of [
      folder,
      join(folder, 'engine'),
      join(folder, 'engine/instances'),
      join(folder, 'engine/instances', id),
    ])
      await chmod(path, 0o755)
    const stopper = fork(join(import.meta.dirname, 'stopper.mjs'), [join(folder, 'engine'), id], { silent: true })
    ours.push(stopper)
    const [message] = await once(stopper, 'message')
    expect(message).toContain(`processes ${theirs.pid} of instance one do not end although they were killed`)
    expect(isAlive(theirs)).toBe(true)
  })
})
