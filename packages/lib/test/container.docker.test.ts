import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { bundle } from '../src/bundler/index.ts'

/** A model without a title. Its setup hangs when `HANG` is set. */
const model = `import { demo, text } from 'origami-lib'
export default demo({
  inputs: { word: text() },
  outputs: { said: text() },
  setup: () => {
    while (process.env.HANG) Math.random()
  },
  predict: ({ word }) => word,
})
`

const docker = async (...args: string[]) => (await promisify(execFile)('docker', args)).stdout.trim()

let home: string
const containers: string[] = []
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'origami-container-'))
  await mkdir(join(home, 'dog-breeds'))
  await writeFile(join(home, 'dog-breeds/model.ts'), model)
  await bundle({ folder: join(home, 'dog-breeds'), run: false, onLog: () => undefined }, new AbortController().signal)
})
afterEach(async () => {
  for (const container of containers.splice(0)) await docker('rm', '-f', container)
})
afterAll(() => rm(home, { recursive: true, force: true }))

/** As somebody's own server runs it, with a memory limit, and /tmp inside that limit. */
async function run(...env: string[]): Promise<string> {
  const container = await docker(
    ...[
      'run',
      '-d',
      '--memory',
      '128m',
      '--tmpfs',
      '/tmp:size=64m',
      '-v',
      `${join(home, 'dog-breeds')}:/demo:ro`,
      '-w',
      '/demo',
    ],
    ...env.flatMap((one) => ['-e', one]),
    ...['node:24-bookworm-slim', 'node', 'origami/server.mjs'],
  )
  containers.push(container)
  return container
}

const ask = async (container: string, path: string) =>
  JSON.parse(
    await docker(
      ...['exec', container, 'node', '-e'],
      `require('http').get('http://127.0.0.1:6000${path}', (answer) => answer.statusCode === 200 ? answer.pipe(process.stdout) : process.exit(1)).on('error', () => process.exit(1))`,
    ),
  ) as Record<string, unknown>

test('a container of a bundle has its name, never that of the folder /demo', async () => {
  const container = await run()
  const schema = await vi.waitFor(() => ask(container, '/schema'))
  expect(schema.title).toBe('Dog breeds')
  await rm(join(home, 'dog-breeds/origami/name'))
  const nameless = await run()
  expect((await vi.waitFor(() => ask(nameless, '/schema'))).title).toBe('Model')
})

test('docker stop ends it at once and in order, as the first process of its container, while its setup hangs', async () => {
  const container = await run('HANG=1')
  await vi.waitFor(async () => expect(await ask(container, '/health-check')).toMatchObject({ status: 'STARTING' }))
  await docker('stop', '-t', '20', container)
  expect(await docker('inspect', '-f', '{{.State.ExitCode}} {{.State.OOMKilled}}', container)).toBe('0 false')
})
