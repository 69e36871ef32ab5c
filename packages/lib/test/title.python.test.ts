import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { bundle } from '../src/bundler/index.ts'
import { startRuntime } from '../src/runtime/index.ts'
import { demoTitle } from '../src/runtime/pool/title.ts'

test.each([
  [{ manifest: 'Mine', model: 'Said', configured: 'repo', folder: 'here' }, 'Mine'],
  [{ model: 'Said', configured: 'repo', folder: 'here' }, 'Said'],
  [{ configured: 'dog-breeds_v2', folder: 'a1b2' }, 'Dog breeds v2'],
  [{ folder: 'dog-breeds' }, 'Dog breeds'],
  [{ configured: '--', folder: '' }, 'Model'],
])('of %j the title is %s', (names, title) => {
  expect(demoTitle(names)).toBe(title)
})

test('a bundle that somebody runs is called what its folder was where it was made, or what its repository is; and takes what it is told to', async () => {
  const home = await mkdtemp(join(tmpdir(), 'origami-title-'))
  const made = join(home, 'dog-breeds')
  await mkdir(made)
  await writeFile(join(made, 'model.py'), 'def predict(word: str) -> str:\n    return word\n')
  await bundle({ folder: made, run: false, onLog: () => undefined }, new AbortController().signal)
  const elsewhere = join(home, 'demo')
  await rename(made, elsewhere)
  expect(await asked(elsewhere, {}, titleAt)).toBe('Dog breeds')
  expect(await asked(elsewhere, { ORIGAMI_NAME: 'cat-breeds' }, titleAt)).toBe('Cat breeds')
  const tooLarge = await asked(elsewhere, { ORIGAMI_BODY_BYTES: '100' }, async (url) => {
    const body = JSON.stringify({ input: { word: 'x'.repeat(100) } })
    const answer = await fetch(`${url}/predictions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    return `${answer.status} ${await answer.text()}`
  })
  expect(tooLarge).toMatch(/^413 .*at most 100 bytes/)
  await rm(home, { recursive: true, force: true })
})

async function titleAt(url: string): Promise<string> {
  const answer = await fetch(`${url}/schema`)
  expect(answer.status).toBe(200)
  return ((await answer.json()) as { title: string }).title
}

/** What `ask` gets from a bundle that runs, tried until it gets something. */
async function asked(
  folder: string,
  env: Record<string, string>,
  ask: (url: string) => Promise<string>,
): Promise<string> {
  const portFile = join(folder, 'port')
  const server = spawn(process.execPath, [join(folder, 'origami/server.mjs')], {
    env: { ...process.env, ...env, PORT: '0', ORIGAMI_HOST: '127.0.0.1', ORIGAMI_PORT_FILE: portFile },
    stdio: 'ignore',
  })
  const ended = once(server, 'exit')
  try {
    return await vi.waitFor(async () => ask(`http://127.0.0.1:${await readFile(portFile, 'utf8')}`))
  } finally {
    server.kill()
    await ended
    await rm(portFile, { force: true })
  }
}

describe.each([
  ['model.py', 'def predict(word: str) -> str:\n    return word\n'],
  [
    'model.ts',
    "import { demo, text } from 'origami-lib'\nexport default demo({ inputs: { word: text() }, outputs: { said: text() }, predict: ({ word }) => word })\n",
  ],
])('a model that says no title (%s)', (file, written) => {
  let home: string
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'origami-title-'))
    await mkdir(join(home, 'dog-breeds'))
    await writeFile(join(home, 'dog-breeds', file), written)
  })
  afterAll(() => rm(home, { recursive: true, force: true }))

  const titled = async (model: string, name?: string) => {
    await using runtime = await startRuntime({ model, host: '127.0.0.1', port: 0, name })
    return (await vi.waitFor(() => runtime.predictor.schema())).title
  }

  test('is called what its repository is, else its file, else its folder', async () => {
    const model = join(home, 'dog-breeds', file)
    expect(await titled(model)).toBe('Dog breeds')
    expect(await titled(model, 'cat-breeds')).toBe('Cat breeds')
    const other = join(home, 'dog-breeds', file.replace('model', 'old_birds'))
    await cp(model, other)
    expect(await titled(other, 'cat-breeds')).toBe('Old birds')
  })
})
