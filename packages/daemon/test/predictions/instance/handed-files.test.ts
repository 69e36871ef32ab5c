import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { demoSchema, type FileRef, fileRef, newPredictionId, randomId } from '@origami/protocol/demo'
import { FolderFiles, type HttpPredictor } from '@origami/serving'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { bringFiles } from '../../../src/predictions/instance/file-transfer.ts'
import { HandedFiles } from '../../../src/predictions/instance/handed-files.ts'

let folder: string
let inputs: string
let stored: FolderFiles
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-handed-'))
  inputs = join(folder, 'inputs')
  await mkdir(inputs)
  stored = new FolderFiles(join(folder, 'stored'), { maxFileBytes: () => 1000 })
})
afterEach(() => rm(folder, { recursive: true }))

const never = new AbortController().signal
const put = () =>
  stored.put(
    randomId(),
    'a.txt',
    'text/plain',
    (async function* () {
      yield Buffer.from('bytes')
    })(),
  )
const handed = (isReadOnly = true) => new HandedFiles(stored, { path: inputs, isReadOnly }, newPredictionId())
/** An instance that sees the files of a folder, and notes what is sent to it. */
const instance = (sees: string) => {
  const sent: string[] = []
  const files = new FolderFiles(sees, { maxFileBytes: () => 0 })
  const put = async (id: string, name: string) => sent.push(fileRef(id, name))
  return { sent, predictor: { files: { open: (ref: FileRef) => files.open(ref), put } } as unknown as HttpPredictor }
}
const field = { name: 'paper', label: 'paper', component: 'file', options: {}, required: true }
const schema = demoSchema.parse({
  ...{ api: 1, title: 'x', description: '', examples: [], streaming: false, concurrency: 1 },
  inputs: [field],
  outputs: [field],
})
const inode = async (files: FolderFiles, ref: unknown) => (await stat(files.path(String(ref)) ?? '')).ino

test.each([
  ['linked', true],
  ['copied', false],
])(
  'a file is %s for an instance where that only reads: %j; nothing is sent, and it goes when it is taken back',
  async (_how, isReadOnly) => {
    const [ref, files, { sent, predictor }] = [await put(), handed(isReadOnly), instance(inputs)]
    const { paper } = await bringFiles(stored, predictor, schema, { paper: ref }, never, files)
    expect([paper === ref, sent]).toEqual([false, []])
    const there = new FolderFiles(inputs, { maxFileBytes: () => 0 })
    expect((await inode(there, paper)) === (await inode(stored, ref))).toBe(isReadOnly)
    await files.takeBack([ref])
    expect(await readdir(inputs)).toEqual([])
    expect(await stored.open(ref)).toMatchObject({ size: 5 })
  },
)

test('two predictions with the same file have one each, so that the end of one takes nothing from the other', async () => {
  const [ref, one, two, { predictor }] = [await put(), handed(), handed(), instance(inputs)]
  const [first, second] = [await one.hand(ref, predictor, never), await two.hand(ref, predictor, never)]
  expect(await one.hand(ref, predictor, never)).toBe(first)
  await one.takeBack([ref])
  expect(await predictor.files.open(second ?? ref)).toMatchObject({ name: 'a.txt' })
})

test('an instance that does not see the folder gets its file over HTTP, and nothing stays in the folder', async () => {
  const [ref, { sent, predictor }] = [await put(), instance(join(folder, 'elsewhere'))]
  expect(await bringFiles(stored, predictor, schema, { paper: ref }, never, handed())).toEqual({ paper: ref })
  expect([sent, await readdir(inputs)]).toEqual([[ref], []])
})

test('an instance that was started without the folder is not asked', async () => {
  const [ref, { sent, predictor }] = [await put(), instance(inputs)]
  const open = vi.spyOn(predictor.files, 'open')
  await rm(inputs, { recursive: true })
  await bringFiles(stored, predictor, schema, { paper: ref }, never, handed())
  expect([open.mock.calls, sent]).toEqual([[], [ref]])
})

test('an instance that fails when it is asked gets its file over HTTP; who is stopped meanwhile is told why', async () => {
  const [ref, { sent, predictor }] = [await put(), instance(inputs)]
  vi.spyOn(predictor.files, 'open').mockRejectedValue(new Error('EACCES'))
  await bringFiles(stored, predictor, schema, { paper: ref }, never, handed())
  expect([sent, await readdir(inputs)]).toEqual([[ref], []])
  const reason = new Error('canceled')
  await expect(bringFiles(stored, predictor, schema, { paper: ref }, AbortSignal.abort(reason), handed())).rejects.toBe(
    reason,
  )
})
