import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeploymentState } from '@origami/protocol/control'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { processesWith } from '../../packages/host/src/process-groups.ts'
import type { Hold } from './held.ts'
import { DaemonYard } from './yard.ts'

type Files = Record<string, string | null>

/** One kind of broken version, how it must end, and a part of the reason. */
export interface Broken {
  readonly what: string
  readonly files?: Files
  /** Links of the version: where each leads to. */
  readonly links?: Record<string, string>
  readonly state: DeploymentState | readonly DeploymentState[]
  readonly says: string | RegExp
}

/** In the command line of what a version leaves running. */
const leftRunning = '864013'

const server = (lines: string): Files => ({ 'origami/server.mjs': lines })
const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 12345678\n`

/** What an engine needs not differ in. */
export const brokenEverywhere: readonly Broken[] = [
  { what: 'without .origami', files: { '.origami': null }, state: 'not_linked', says: '`origami bundle` writes it' },
  {
    what: 'with an .origami that is no YAML',
    files: { '.origami': 'title: [\n' },
    state: 'config_error',
    says: 'line 2',
  },
  {
    what: 'with aliases in .origami',
    files: { '.origami': 'title: &a x\ndescription: *a\n' },
    state: 'config_error',
    says: 'got the alias *a',
  },
  {
    what: 'with an .origami of brackets',
    files: { '.origami': `title: ${'['.repeat(60_000)}` },
    state: 'config_error',
    says: 'expected fewer keys and lists within each other',
  },
  {
    what: 'with an .origami of very many keys',
    files: { '.origami': Array.from({ length: 8000 }, (_, index) => `k${index}:`).join('\n') },
    state: 'config_error',
    says: 'at most a thousand keys',
  },
  {
    what: 'with a large .origami',
    files: { '.origami': '#'.repeat(100_000) },
    state: 'config_error',
    says: 'expected `.origami` to be at most 64 KiB, got 100000 bytes',
  },
  {
    what: 'whose .origami is a link',
    files: { '.origami': null },
    links: { '.origami': 'model.ts' },
    state: 'config_error',
    says: 'expected `.origami` to be a plain file',
  },
  {
    what: 'with a link out of it, through another',
    links: { 'origami/up': '..', leak: 'origami/up/../../../etc/passwd' },
    state: 'clone_failed',
    says: '"leak" is a link that leads out of the repository',
  },
  {
    what: 'with pointers of Git LFS for weights',
    files: { 'model.bin': pointer },
    state: 'clone_failed',
    says: '"model.bin": only pointers of Git LFS are here',
  },
  {
    what: 'with a name that is too long to read',
    files: { ['x'.repeat(200)]: '' },
    state: 'clone_failed',
    says: 'a path that is too long: expected at most 150 bytes',
  },
  {
    what: 'that exits at once',
    files: server('console.log("no weights"); process.exitCode = 4'),
    state: 'start_failed',
    says: 'code 4',
  },
  {
    what: 'that prints without end and exits',
    files: server(
      "for (let line = 0; line < 30_000; line += 1) console.log('flood '.repeat(50)); process.exitCode = 4",
    ),
    state: 'start_failed',
    says: 'code 4',
  },
  {
    what: 'that prints one line without an end and exits',
    files: server(
      "for (let part = 0; part < 300; part += 1) process.stdout.write('flood '.repeat(5000)); process.exitCode = 4",
    ),
    state: 'start_failed',
    says: 'code 4',
  },
  {
    what: 'that prints what a terminal obeys',
    files: server(
      "process.stdout.write('\\u001b[2J\\u001b]0;x\\u0007\\r\\ndeploy Live\\n'.repeat(5000)); process.exitCode = 4",
    ),
    state: 'start_failed',
    says: 'code 4',
  },
  {
    what: 'that is never ready, and ignores SIGTERM',
    files: {
      ...server("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"),
      '.origami': 'ready_within: 1\n',
    },
    state: 'unhealthy',
    says: 'ready_within',
  },
  {
    what: 'that leaves a process behind and exits',
    files: server(
      `import { spawn } from 'node:child_process'
spawn('sleep', ['${leftRunning}'], { detached: true, stdio: 'ignore' }).unref()
process.exitCode = 4
`,
    ),
    state: 'start_failed',
    says: 'code 4',
  },
  {
    what: 'whose setup fails',
    files: { 'model.ts': 'throw new Error("weights are missing")\n' },
    state: 'unhealthy',
    says: 'weights are missing',
  },
]

/** Where a deploy is held, and the state in which it then is. */
export const everyHold: readonly [Hold, DeploymentState][] = [
  ['clone', 'cloning'],
  ['build', 'building'],
  ['start', 'starting'],
]

/** A demo serves; each broken version of it ends in its own state, and what serves does not notice. */
export function hostileRepositories(
  engine: 'process' | 'docker',
  broken: readonly Broken[],
  holds: typeof everyHold = [],
): void {
  describe(`a version that is broken (${engine})`, () => {
    let yard: DaemonYard
    let demo: string
    let served: { instance_id: string | null; port: number | null }
    beforeAll(async () => {
      yard = await DaemonYard.open({ logBytes: 200_000, treePathBytes: 150 }, engine)
      const { demo: id, deployment } = await yard.deploy('corpus')
      expect([deployment.state, deployment.reason]).toEqual(['running', null])
      demo = id
      served = serving(await yard.detail(demo))
    }, 120_000)
    afterAll(async () => yard[Symbol.asyncDispose](), 60_000)

    const serving = ({ instance_id, port }: Awaited<ReturnType<typeof yard.detail>>) => ({ instance_id, port })

    /** Nothing is there but what serves, which still answers and was neither stopped nor started again. */
    const nothingNoticed = async () => {
      await vi.waitFor(async () => expect(await yard.remains()).toEqual({ instances: 1, images: 1, checkouts: [] }))
      expect(await processesWith('cmdline', (word) => word === leftRunning)).toEqual([])
      expect(serving(await yard.detail(demo))).toEqual(served)
      expect(await yard.prediction(demo, await yard.submit(demo, { word: 'still' }))).toMatchObject({
        output: 'still, version 1',
      })
    }

    test.each(broken)('$what', async ({ files = {}, links = {}, state, says }) => {
      const { deployment } = await yard.deploy('corpus', files, undefined, async (folder) => {
        for (const [path, target] of Object.entries(links)) await symlink(target, join(folder, path))
      })
      expect([state].flat(), deployment.reason ?? '').toContain(deployment.state)
      expect(deployment.reason).toMatch(says)
      expect(deployment.reason?.length).toBeLessThan(1000)
      expect(deployment.log_tail.join('\n')).toContain(`deploy ${deployment.state}: `)
      await nothingNoticed()
    })

    test.each(holds)('that is canceled while it is held at its %s leaves nothing', async (hold, state) => {
      yard.holds.add(hold)
      const link = await yard.push('corpus')
      const { deployment } = await yard.trigger(link)
      await yard.deployment(demo, deployment, state)
      // The hold stays: what a cancel waits for is not the step.
      expect((await yard.ask('POST', `/deployments/${deployment}/cancel`, {})).status).toBe(200)
      expect((await yard.deployment(demo, deployment)).state).toBe('canceled')
      yard.holds.clear()
      await nothingNoticed()
    })

    test('and then a whole one, with a byte order mark and line ends of Windows in .origami, comes live', async () => {
      const { deployment } = await yard.deploy('corpus', { '.origami': '\uFEFFtitle: Whole\r\nready_within: 60\r\n' })
      expect([deployment.state, deployment.reason]).toEqual(['running', null])
      expect((await yard.detail(demo)).schema).toMatchObject({ title: 'Whole' })
    })
  })
}
