import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type DemoId, type DeploymentId, manifestSchema, randomId } from '@origami/protocol/demo'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  BuildError,
  ConfigError,
  type Engine,
  type ImageRef,
  type Instance,
  type InstanceExit,
  type InstanceSpec,
} from '../../src/engine/engine.ts'
import type { LogLine } from '../../src/logs/log-line.ts'

/** How one engine is made, and what breaks or holds up its builds. */
export interface EngineUnderTest {
  /** Makes an engine for the folder and the owner of its resources. A second call is like a restart. */
  make(folder: string, owner: string): Engine
  /** Files of a bundle that it cannot build, and a part of the reason that is in the log. */
  readonly broken: { files: Record<string, string>; says: string }
  /** Folders that are no bundles, and a part of the error for each. */
  readonly misshapen: readonly { what: string; files: Record<string, string>; without?: string[]; says: string }[]
  /** A build that never ends: resolves `begun` once it is under way. `word` is in the arguments of a process of it. */
  endless(): Promise<{
    files: Record<string, string>
    word: string
    begun(lines: readonly string[]): boolean
    end(): void
  }>
}

export const spec: InstanceSpec = {
  name: 'digits',
  bodyBytes: 1000,
  fileBytes: 2000,
  port: 6000,
  memoryBytes: 128 * 1024 ** 2,
  cpus: 1,
  pids: 64,
  tmpBytes: 64 * 1024 ** 2,
  tmpExec: false,
  network: 'web',
}
const whole = new AbortController().signal
const newDeployment = () => randomId() as DeploymentId
const newDemo = () => Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex') as DemoId

/** Bundles, built and started by an engine, for tests. */
export class Yard {
  readonly owner = randomId()
  readonly demo = newDemo()
  readonly engine: Engine
  private readonly under: EngineUnderTest
  private readonly folder: string

  private constructor(under: EngineUnderTest, folder: string) {
    this.under = under
    this.folder = folder
    this.engine = under.make(join(folder, 'engine'), this.owner)
  }

  static async open(under: EngineUnderTest): Promise<Yard> {
    const yard = new Yard(under, await mkdtemp(join(tmpdir(), 'origami-engine-')))
    await yard.engine.ready(whole)
    return yard
  }

  reopen(owner = this.owner): Engine {
    return this.under.make(join(this.folder, owner === this.owner ? 'engine' : owner), owner)
  }

  async bundle({
    files = {},
    without = [],
  }: {
    files?: Record<string, string>
    without?: string[]
  } = {}): Promise<string> {
    const folder = await mkdtemp(join(this.folder, 'bundle-'))
    await mkdir(join(folder, 'origami'))
    await cp(join(import.meta.dirname, 'inhabitant.mjs'), join(folder, 'origami/server.mjs'))
    const dockerfile =
      'FROM node:24-bookworm-slim\nWORKDIR /app\nCOPY . .\nUSER 1000\nCMD ["node", "origami/server.mjs"]\n'
    for (const [name, text] of Object.entries({ Dockerfile: dockerfile, ...files })) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), text)
    }
    for (const name of without) await rm(join(folder, name), { recursive: true })
    return folder
  }

  async build(
    bundle: Parameters<Yard['bundle']>[0] = {},
    {
      deployment = newDeployment(),
      demo = this.demo,
      user = 'ann',
      onLog = (_line: LogLine) => {},
      signal = whole,
    } = {},
  ): Promise<{ demo: DemoId; deployment: DeploymentId; image: ImageRef }> {
    const folder = await this.bundle(bundle)
    const image = await this.engine.build(
      { demo, deployment, user, folder, manifest: manifestSchema.parse({}), onLog },
      signal,
    )
    return { demo, deployment, image }
  }

  /** Builds and starts an instance, and waits until it listens. */
  async running(
    more: Partial<InstanceSpec> = {},
    demo = this.demo,
    files: Record<string, string> = {},
  ): Promise<Instance & { endpoint: string }> {
    const built = await this.build({ files }, { demo })
    const instance = await this.engine.start({ ...built, spec: { ...spec, ...more } }, whole)
    return vi.waitFor(async () => {
      const found = await this.engine.find(instance.id)
      expect(await ask(found?.endpoint ?? '', 'exists', { path: '/' })).toBe(true)
      return found as Instance & { endpoint: string }
    })
  }

  async clear(): Promise<void> {
    for (const { id } of await this.engine.list()) await this.engine.remove(id)
    for (const { ref } of await this.engine.images()) await this.engine.removeImage(ref)
    await this.engine.forget(this.demo)
  }

  async close(): Promise<void> {
    await this.clear()
    await this.engine[Symbol.asyncDispose]()
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** What an inhabitant answers. */
export async function ask(endpoint: string, act: string, about: Record<string, string> = {}): Promise<unknown> {
  return (await fetch(`${endpoint}/${act}?${new URLSearchParams(about)}`)).json()
}

/** What every engine promises, on real builds and real instances. */
export function engineContract(name: string, under: EngineUnderTest): void {
  describe(`the ${name} engine`, () => {
    let yard: Yard
    beforeAll(async () => {
      yard = await Yard.open(under)
    })
    afterEach(async () => yard.clear(), 60_000)
    afterAll(async () => yard.close())

    test('builds once for a deployment, and tells whose the image is', async () => {
      const built = await yard.build()
      expect((await yard.build({}, built)).image).toBe(built.image)
      const { image: ref, demo, deployment } = built
      expect(await yard.engine.images()).toEqual([{ ref, demo, deployment }])
      expect(await yard.engine.removeImage(ref)).toBe(true)
      expect(await yard.engine.removeImage(ref)).toBe(false)
      expect(await yard.engine.images()).toEqual([])
    })

    test('says why a build failed, and keeps nothing of it', async () => {
      const lines: string[] = []
      const building = yard.build(under.broken, { onLog: ({ text }) => lines.push(text) })
      await expect(building).rejects.toThrow(BuildError)
      expect(lines.join('\n')).toContain(under.broken.says)
      expect(await yard.engine.images()).toEqual([])
    })

    test.each(under.misshapen)('refuses a bundle with $what', async ({ says, ...bundle }) => {
      const building = yard.build(bundle)
      await expect(building).rejects.toThrow(ConfigError)
      await expect(building).rejects.toThrow(says)
      expect(await yard.engine.images()).toEqual([])
    })

    test('a build that is canceled leaves no image and no process', async () => {
      const { files, word, begun, end } = await under.endless()
      const cancel = new AbortController()
      const lines: string[] = []
      const building = yard.build({ files }, { signal: cancel.signal, onLog: ({ text }) => lines.push(text) })
      building.catch(() => {})
      try {
        await vi.waitFor(() => expect(begun(lines) && processesWith(word).length > 0, lines.join('\n')).toBe(true))
        cancel.abort('canceled')
        await expect(building).rejects.toBe('canceled')
      } finally {
        end()
      }
      await vi.waitFor(() => expect(processesWith(word)).toEqual([]))
      expect(await yard.engine.images()).toEqual([])
    })

    test('starts once for a deployment, on an address that only this machine reaches', async () => {
      const instance = await yard.running()
      const { demo, deployment, image } = instance
      expect(instance).toMatchObject({ demo: yard.demo, state: 'running' })
      expect(instance.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
      expect((await yard.engine.start({ demo, deployment, image, spec }, whole)).id).toBe(instance.id)
      expect(await yard.engine.list()).toHaveLength(1)
    })

    test('gives an instance nothing of its own environment', async () => {
      vi.stubEnv('ORIGAMI_SECRET', 'canary')
      vi.stubEnv('SOMEBODYS_TOKEN', 'canary')
      vi.stubEnv('HOME', '/home/canary')
      const { endpoint } = await yard.running()
      expect(JSON.stringify(await ask(endpoint, 'environment'))).not.toContain('canary')
      vi.unstubAllEnvs()
    })

    test('tells an instance its name and what it takes', async () => {
      const { endpoint } = await yard.running()
      const environment = { ORIGAMI_NAME: 'digits', ORIGAMI_BODY_BYTES: '1000', ORIGAMI_FILE_BYTES: '2000' }
      expect(await ask(endpoint, 'environment')).toMatchObject(environment)
    })

    test('stops by asking, then by force; what is gone cannot be stopped or removed', async () => {
      const asked = await yard.running()
      expect(await yard.engine.stop(asked.id, 10_000)).toBe(true)
      expect(await linesOf(yard.engine, asked)).toContain('leaving')
      expect((await only(yard)).state).toBe('exited')
      expect(await yard.engine.stop(asked.id, 10_000)).toBe(false)
      expect(await yard.engine.remove(asked.id)).toBe(true)
      expect(await yard.engine.remove(asked.id)).toBe(false)
      const deaf = await yard.running()
      await ask(deaf.endpoint, 'deaf')
      expect(await yard.engine.stop(deaf.id, 100)).toBe(true)
      expect((await only(yard)).state).toBe('exited')
    })

    test('finds one instance as it is now, and nothing where there is none', async () => {
      const instance = await yard.running()
      expect(await yard.engine.find(instance.id)).toEqual(instance)
      await yard.engine.stop(instance.id, 10_000)
      expect(await yard.engine.find(instance.id)).toMatchObject({
        state: 'exited',
        endpoint: undefined,
        exit: { id: instance.id },
      })
      await yard.engine.remove(instance.id)
      expect(await yard.engine.find(instance.id)).toBeUndefined()
    })

    test('watches one instance: as it is, when it listens, when it exits; until it is gone', async () => {
      const { id } = await yard.engine.start({ ...(await yard.build()), spec }, whole)
      const watched = yard.engine.watch(id, whole)[Symbol.asyncIterator]()
      const until = async (test: (instance: Instance) => boolean) => {
        for (;;) {
          const { value, done } = await watched.next()
          if (done || test(value)) return value
        }
      }
      const { endpoint } = await until((instance) => instance.endpoint !== undefined)
      await vi.waitFor(async () => expect(await ask(endpoint, 'exists', { path: '/' })).toBe(true))
      await ask(endpoint, 'exit', { code: '3' })
      expect(await until(({ state }) => state === 'exited')).toMatchObject({ id, exit: { code: 3 } })
      await yard.engine.remove(id)
      expect(await until(() => false)).toBeUndefined()
    })

    test('tells what there is of one demo', async () => {
      const [one, two] = [await yard.running(), await yard.running({}, newDemo())]
      expect(await yard.engine.instancesOf(one.demo)).toEqual([one])
      expect(await yard.engine.instancesOf(two.demo)).toEqual([two])
      expect(await yard.engine.instancesOf(newDemo())).toEqual([])
      await yard.clear()
      await yard.engine.forget(two.demo)
    })

    test("shows an instance the host's files and processes exactly where it promises no isolation", async () => {
      const { endpoint } = await yard.running()
      const { isolation } = yard.engine.guarantees
      expect(await ask(endpoint, 'exists', { path: import.meta.filename })).toBe(!isolation)
      expect(await ask(endpoint, 'exists', { path: `/proc/${process.pid}/fd` })).toBe(!isolation)
    })

    test('shows an instance its folder of inputs, to read alone where the engine says so, until it is removed', async () => {
      const { id, demo, deployment, endpoint } = await yard.running()
      const { path, isReadOnly } = yard.engine.inputFolder(demo, deployment) ?? { path: '', isReadOnly: false }
      await writeFile(join(path, 'paper'), 'kept')
      // What is not allowed is not allowed to anybody, whatever the modes of folder and file.
      await chmod(join(path, 'paper'), 0o666)
      await chmod(path, 0o777)
      const { ORIGAMI_INPUTS: inputs = '' } = (await ask(endpoint, 'environment')) as Record<string, string>
      expect(await ask(endpoint, 'read', { path: join(inputs, 'paper') })).toBe('kept')
      expect(await ask(endpoint, 'write', { path: join(inputs, 'paper') })).toBe(isReadOnly ? 'EROFS' : 'done')
      expect(await ask(endpoint, 'write', { path: join(inputs, 'new') })).toBe(isReadOnly ? 'EROFS' : 'done')
      expect(await readFile(join(path, 'paper'), 'utf8')).toBe(isReadOnly ? 'kept' : 'x')
      await yard.engine.remove(id)
      expect(existsSync(path)).toBe(false)
    })

    test('removes what runs', async () => {
      const { id, endpoint } = await yard.running()
      expect(await yard.engine.remove(id)).toBe(true)
      expect(await yard.engine.list()).toEqual([])
      await expect(ask(endpoint, 'environment')).rejects.toThrow('fetch failed')
    })

    test('tells when an instance exits, and with what code', async () => {
      const gone = new AbortController()
      const exits = yard.engine.exits(gone.signal)[Symbol.asyncIterator]()
      const exit = exits.next()
      const { id, endpoint } = await yard.running()
      await ask(endpoint, 'exit', { code: '3' })
      const { value } = (await exit) as { value: InstanceExit }
      expect(value).toMatchObject({ id, code: 3, outOfMemory: false })
      expect((await only(yard)).exit).toEqual(value)
      gone.abort()
      expect(await exits.next()).toMatchObject({ done: true })
    })

    test('tells what an instance printed, from any line on, to whoever asks later', async () => {
      const instance = await yard.running()
      for (const text of ['one', 'two', 'three', '  four <b> \u001b[31m']) await ask(instance.endpoint, 'say', { text })
      const gone = new AbortController()
      let cursor = ''
      for await (const line of yard.engine.logs(instance.id, undefined, gone.signal)) {
        expect(line.source).toBe('demo')
        if (line.text !== 'two') continue
        cursor = line.cursor
        break
      }
      await ask(instance.endpoint, 'exit', { code: '0' })
      expect(await linesOf(yard.reopen(), instance, cursor)).toEqual(['three', '  four <b> \u001b[31m'])
      expect(await linesOf(yard.engine, instance)).toEqual([
        'listening',
        'one',
        'two',
        'three',
        '  four <b> \u001b[31m',
      ])
    })

    test('a progress bar is one line, and a line that is too long is cut and says so', async () => {
      const instance = await yard.running()
      await ask(instance.endpoint, 'repeat', { text: '10%\r', times: '3' })
      await ask(instance.endpoint, 'say', { text: '100%' })
      await ask(instance.endpoint, 'repeat', { text: 'x', times: '100000' })
      await ask(instance.endpoint, 'say', { text: '' })
      await ask(instance.endpoint, 'say', { text: 'after' })
      await ask(instance.endpoint, 'exit', { code: '0' })
      expect(await linesOf(yard.engine, instance)).toEqual([
        'listening',
        '100%',
        `${'x'.repeat(64 * 1024)} (cut)`,
        'after',
      ])
    })

    test('an instance outlives its engine, and the next one takes it over', async () => {
      const instance = await yard.running()
      await yard.engine[Symbol.asyncDispose]()
      const next = yard.reopen()
      await next.ready(whole)
      expect(await next.list()).toEqual([instance])
      expect(await ask(instance.endpoint, 'exists', { path: '/' })).toBe(true)
      expect(await next.stop(instance.id, 10_000)).toBe(true)
    })

    test('what is of another state folder is not seen, stopped or removed', async () => {
      const { id, image } = await yard.running()
      const other = yard.reopen(randomId())
      await other.ready(whole)
      expect(await other.list()).toEqual([])
      expect(await other.images()).toEqual([])
      expect(await other.find(id)).toBeUndefined()
      expect([await other.stop(id, 0), await other.remove(id), await other.removeImage(image)]).toEqual([
        false,
        false,
        false,
      ])
      expect(await yard.engine.list()).toMatchObject([{ id, state: 'running' }])
    })
  })
}

const only = async ({ engine }: Yard): Promise<Instance> => {
  const instances = await engine.list()
  expect(instances).toHaveLength(1)
  return instances[0] as Instance
}

/** Everything that an exited instance printed after a cursor. */
async function linesOf(engine: Engine, { id }: Instance, after?: string): Promise<string[]> {
  const lines: string[] = []
  for await (const { text } of engine.logs(id, after, whole)) lines.push(text)
  return lines
}

function processesWith(word: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word)
    } catch {
      return false
    }
  })
}
