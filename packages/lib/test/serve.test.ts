import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { serveModel } from '../src/runtime/index.ts'
import { post } from './serve-model.ts'

const written = `import { setTimeout } from 'node:timers/promises'
import { demo, text } from 'origami-lib'
export default demo({
  inputs: { say: text() },
  outputs: { said: text() },
  predict: async ({ say }, { signal }) => {
    if (say === 'wait') await setTimeout(60_000, undefined, { signal })
    return say
  },
})
`

let folder: string
let model: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-serve-'))
  model = join(folder, 'model.ts')
  await writeFile(model, written)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const serve = (onLog: (line: string) => void = () => undefined) =>
  serveModel({ model, port: 0, host: '127.0.0.1', onLog })
const titleIs = (runtime: Awaited<ReturnType<typeof serve>>, title: string) =>
  vi.waitFor(async () => expect((await runtime.predictor.schema()).title).toBe(title))

test('who serves a model has the timeout and the title that .origami says', async () => {
  await writeFile(join(folder, '.origami'), 'title: Mine\ntimeout: 1\n')
  await using runtime = await serve()
  await titleIs(runtime, 'Mine')
  expect((await post(runtime.url, { say: 'wait' })).body).toMatchObject({ status: 'failed', reason: 'timeout' })
})

test('a change of .origami is read; a mistake in it is said, and changes nothing', async () => {
  const lines: string[] = []
  await using runtime = await serve((line) => lines.push(line))
  await vi.waitFor(() => runtime.predictor.schema())
  await writeFile(join(folder, '.origami'), 'title: Later\n')
  await titleIs(runtime, 'Later')
  await writeFile(join(folder, '.origami'), 'titel: Wrong\n')
  await vi.waitFor(() => expect(lines.join('\n')).toContain('did you mean title?'))
  expect((await post(runtime.url, { say: 'ab' })).body).toMatchObject({ status: 'succeeded', output: 'ab' })
  await titleIs(runtime, 'Later')
})

test('a wrong .origami at the start is refused with its line', async () => {
  await writeFile(join(folder, '.origami'), 'timeout: soon\n')
  await expect(serve()).rejects.toThrow('.origami line 1, column 1: timeout:')
})
