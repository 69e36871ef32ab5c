import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { bundle } from '../src/bundler/index.ts'
import { runFirstExample } from '../src/bundler/try.ts'
import { vendoredFiles } from '../src/bundler/vendored.ts'
import { vendor } from '../src/vendor.ts'
import { childProcesses, eventually } from './pool.ts'

describe('a bundle', () => {
  let folder: string
  let logged: string[]
  const run = (options: { force?: boolean; run?: boolean } = {}) =>
    bundle({ folder, onLog: (line) => logged.push(line), ...options }, new AbortController().signal)

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'origami-bundle-'))
    logged = []
    await cp(join(import.meta.dirname, 'models/many.ts'), join(folder, 'model.ts'))
  })
  afterEach(async () => rm(folder, { recursive: true, force: true }))

  test('carries its runtime, and its first example answers in it', async () => {
    const { commands } = await run()
    expect(logged.at(-1)).toContain('it answers: {"said":"ababab"')
    expect(await readdir(folder)).toEqual(
      expect.arrayContaining(['.origami', 'Dockerfile', '.dockerignore', 'origami']),
    )
    expect(commands[1]).toContain('docker run --rm -p 6060:6000')
  })

  test('has the same bytes when it is made twice', async () => {
    await run({ run: false })
    const before = await contents(folder)
    await run({ run: false })
    expect(await contents(folder)).toEqual(before)
  })

  test('keeps what a person changed, unless told otherwise', async () => {
    await run({ run: false })
    await writeFile(join(folder, 'Dockerfile'), 'FROM mine\n')
    expect((await run({ run: false })).kept).toEqual(['Dockerfile'])
    expect(await readFile(join(folder, 'Dockerfile'), 'utf8')).toBe('FROM mine\n')
    expect((await run({ run: false, force: true })).kept).toEqual([])
    expect(await readFile(join(folder, 'Dockerfile'), 'utf8')).toContain('USER 1000')
  })

  test('whose record of what was written is broken keeps what differs, and is whole again', async () => {
    await run({ run: false })
    const before = await contents(folder)
    await writeFile(join(folder, 'origami/files.json'), '<<<<<<< HEAD\n{}\n')
    expect((await run({ run: false })).kept).toEqual([])
    expect(await contents(folder)).toEqual(before)
    await writeFile(join(folder, 'Dockerfile'), 'FROM mine\n')
    await writeFile(join(folder, 'origami/files.json'), '{"Dockerfile": 3, "origami/../model.ts": "x"}')
    expect((await run({ run: false })).kept).toEqual(['Dockerfile'])
    await writeFile(join(folder, 'origami/files.json'), '{"origami/../model.ts": "x"}')
    await run({ run: false })
    expect(await readdir(folder)).toContain('model.ts')
  })

  test('of a model that never gets ready says what it printed, while it runs and at the end', async () => {
    await run({ run: false })
    await writeFile(
      join(folder, 'model.ts'),
      'console.error("reading the weights")\nawait new Promise((go) => setTimeout(go, 1e9))\n',
    )
    const tried = runFirstExample(
      { folder, onLog: (line) => logged.push(line), withinMs: 3000 },
      new AbortController().signal,
    )
    const refused = expect(tried).rejects.toThrow(
      /it was not ready within 0\.05 min; it printed last:\n(.*\n)*reading the weights/,
    )
    await vi.waitFor(() => expect(logged).toContain('reading the weights'))
    await refused
  })

  test('whose runtime is ended by a signal says so', async () => {
    await run({ run: false })
    await writeFile(
      join(folder, 'origami/server.mjs'),
      'console.error("no memory")\nprocess.kill(process.pid, "SIGKILL")\n',
    )
    const tried = runFirstExample({ folder, onLog: (line) => logged.push(line) }, new AbortController().signal)
    await expect(tried).rejects.toThrow('the runtime exited (SIGKILL):\nno memory')
  })

  test('that is told a number that is none ends with what was expected', async () => {
    await run({ run: false })
    const started = execa(process.execPath, ['origami/server.mjs'], {
      cwd: folder,
      env: { ORIGAMI_FILES_BYTES: '1g' },
      reject: false,
    })
    const { exitCode, stderr } = await started
    expect([exitCode, stderr]).toEqual([
      1,
      'ORIGAMI_FILES_BYTES: expected a whole number of bytes, such as 1073741824, got "1g"',
    ])
  }, 60_000)

  test('whose model ignores SIGTERM and computes on is ended, also where its runtime is deaf to it too', async () => {
    await run({ run: false })
    await writeFile(join(folder, 'model.ts'), deafModel)
    const tried = () =>
      runFirstExample({ folder, onLog: (line) => logged.push(line), graceMs: 300 }, new AbortController().signal)
    const nothingRuns = () => eventually(async () => expect(await childProcesses(folder)).toEqual([]))
    await tried()
    await nothingRuns()
    await rename(join(folder, 'origami/server.mjs'), join(folder, 'origami/heard.mjs'))
    await writeFile(join(folder, 'origami/server.mjs'), deafServer)
    await tried()
    await nothingRuns()
    expect(logged.filter((line) => line.startsWith('it answers'))).toHaveLength(2)
    expect(logged).toContain('the runtime did not end within 0.3 s of SIGTERM and was killed')
  }, 60_000)

  test('holds what its demo uses, and nothing that was left lying about', async () => {
    const everything = await vendoredFiles(vendor, { language: 'python', schema: undefined })
    await run({ run: false })
    await mkdir(join(folder, 'origami/python/__pycache__'), { recursive: true })
    await writeFile(join(folder, 'origami/python/__pycache__/worker.cpython-312.pyc'), 'x')
    await run()
    const paths = Object.keys(await contents(folder)).map((path) => path.slice(folder.length + 1))
    expect(paths).toEqual(
      expect.arrayContaining(['origami/server.mjs', 'origami/worker.mjs', 'origami/page/index.html']),
    )
    expect(paths.filter((path) => /python|\.pyc$|\.map$|manifest\.json/.test(path))).toEqual([])
    expect(paths.filter((path) => path.includes('markdown'))).toEqual([])
    expect([...everything.keys()].filter((path) => path.includes('worker'))).toEqual([
      'origami/python/origami/worker.py',
    ])
    expect([...everything.keys()].filter((path) => path.includes('assets/markdown'))).toHaveLength(1)
  })

  test('of text, label and image is at most 1 MB', async () => {
    await writeFile(
      join(folder, 'model.ts'),
      `import { demo, image, label, text } from 'origami-lib'
export default demo({
  title: 'Three', inputs: { words: text(), picture: image({ optional: true }) }, outputs: { mood: label() },
  predict: () => ({ glad: 1 }), examples: [{ words: 'a' }],
})`,
    )
    const { bytes } = await run()
    const files = Object.values(await contents(folder)).map((base64) => Buffer.from(base64, 'base64').length)
    expect(bytes).toBeGreaterThan(400_000)
    expect(files.reduce((sum, size) => sum + size)).toBeLessThan(1024 ** 2)
  })

  test('of a model that fails, of none, and with a wrong .origami is refused with the reason', async () => {
    await cp(join(import.meta.dirname, 'models/broken.ts'), join(folder, 'model.ts'))
    await expect(run()).rejects.toThrow('the weights are not there')
    await writeFile(join(folder, '.origami'), 'titel: x\n')
    await expect(run({ run: false })).rejects.toThrow('did you mean title?')
    await rm(join(folder, 'model.ts'))
    await expect(run({ run: false })).rejects.toThrow('expected one of model.py, model.ts')
  })
})

const deafModel = `import { demo, text } from 'origami-lib'
process.on('SIGTERM', () => undefined)
export default demo({
  inputs: { say: text() },
  outputs: { said: text() },
  examples: [{ say: 'x' }],
  predict: ({ say }) => {
    setTimeout(() => { for (;;); }, 50)
    return say
  },
})
`

/** The runtime, which ignores SIGTERM. */
const deafServer = `const { on } = process
process.on = (event, listener) => on.call(process, event, event === 'SIGTERM' ? () => undefined : listener)
await import('./heard.mjs')
`

async function contents(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return Object.fromEntries(
    await Promise.all(files.toSorted().map(async (path) => [path, (await readFile(path)).toString('base64')])),
  )
}
