import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { demoSchema, type FileRef, fileRef, randomId } from '@origami/protocol/demo'
import { FolderFiles, type HttpPredictor } from '@origami/serving'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { bringFiles, fetchResults, outputFiles } from '../../../src/predictions/instance/file-transfer.ts'

let folder: string
let here: FolderFiles
let there: FolderFiles
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-transfer-'))
  here = new FolderFiles(join(folder, 'here'), { maxFileBytes: () => limits.fileBytes })
  there = new FolderFiles(join(folder, 'there'), { maxFileBytes: () => 1000 })
})
afterEach(() => rm(folder, { recursive: true }))

const limits = { fileBytes: 10, retryMs: [0, 0, 0, 0, 0, 0], resultMs: 60_000 }
const never = new AbortController().signal
async function* bytes(content: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(content)
}
const put = (files: FolderFiles, name: string, content: string, id = randomId()) =>
  files.put(id, name, 'text/plain', bytes(content))
const content = async (files: FolderFiles, ref: FileRef) => {
  const file = await files.open(ref)
  return file && text(file.bytes())
}
const instance = (files: Pick<FolderFiles, 'put' | 'open'> = there) => ({ files }) as unknown as HttpPredictor
const fetch = (ref: FileRef, from = instance()) => fetchResults(here, from, [ref], limits, never)

const field = (name: string, component: string) => ({ name, label: name, component, options: {}, required: true })
const schema = demoSchema.parse({
  ...{ api: 1, title: 'x', description: '', examples: [], streaming: false, concurrency: 1 },
  inputs: [field('paper', 'file'), field('title', 'text')],
  outputs: [field('copy', 'file'), field('said', 'text')],
})

describe('the files of an input', () => {
  test('are sent to its instance, those of file components alone', async () => {
    const [paper, title] = [await put(here, 'a.txt', 'paper'), await put(here, 'b.txt', 'title')]
    await bringFiles(here, instance(), schema, { paper, title }, never)
    expect([await content(there, paper), await content(there, title)]).toEqual(['paper', undefined])
  })

  test('that are not here any more are left out', async () => {
    const sent = vi.fn(there.put.bind(there))
    await bringFiles(here, instance({ put: sent, open: here.open }), schema, { paper: fileRef(randomId(), 'a') }, never)
    expect(sent).not.toHaveBeenCalled()
  })
})

describe('the files of an output', () => {
  test('are stored here', async () => {
    const ref = await put(there, 'a.txt', 'result')
    const files = outputFiles(schema, { copy: ref, said: ref })
    expect(files).toEqual([ref])
    await fetchResults(here, instance(), files, limits, never)
    expect(await content(here, ref)).toBe('result')
  })

  test('that say that they are too large are not read, and are an error that says both sizes', async () => {
    const ref = await put(there, 'a.txt', 'x'.repeat(11))
    await expect(fetch(ref)).rejects.toMatchObject({
      ...{ name: 'ResultLost', reason: 'error' },
      message: "The model's result a.txt is too large: this server keeps files of at most 10 bytes, and it has 11.",
    })
  })

  test('that turn out to be too large are an error that says the limit', async () => {
    const ref = await put(there, 'a.txt', 'x'.repeat(11))
    const open: FolderFiles['open'] = async (name) => {
      const file = await there.open(name)
      return file && { ...file, size: 1 }
    }
    await expect(fetch(ref, instance({ put: there.put, open }))).rejects.toMatchObject({
      reason: 'error',
      message: "The model's result a.txt is too large: this server keeps files of at most 10 bytes.",
    })
  })

  test('whose id has a file of another name here are an error that says so', async () => {
    const id = randomId()
    await put(here, 'first.txt', 'first', id)
    await expect(fetch(await put(there, 'second.txt', 'second', id))).rejects.toMatchObject({
      ...{ name: 'ResultLost', reason: 'error' },
      message:
        "The model's result second.txt cannot be kept: " +
        `expected an id that no file has yet, got ${id}, which has another file. Run it again.`,
    })
  })

  test('are tried again when they could not be fetched', async () => {
    const ref = await put(there, 'a.txt', 'result')
    const open = vi.fn(there.open.bind(there)).mockRejectedValueOnce(new Error('nobody answers'))
    await fetch(ref, instance({ put: there.put, open }))
    expect(await content(here, ref)).toBe('result')
  })

  test('that cannot be fetched five times in a row are lost, with the reason', async () => {
    const open = vi.fn(async () => undefined)
    await expect(fetch(fileRef(randomId(), 'a.txt'), instance({ put: there.put, open }))).rejects.toMatchObject({
      ...{ name: 'ResultLost', reason: 'interrupted' },
      message: 'The model answered, but its result a.txt could not be fetched (it is not there). Run it again.',
    })
    expect(open).toHaveBeenCalledTimes(5)
  })

  test('that take longer than they may are lost', async () => {
    const open: FolderFiles['open'] = (_ref, signal?: AbortSignal) =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
    const fetching = fetchResults(
      here,
      instance({ put: there.put, open }),
      [fileRef(randomId(), 'a.txt')],
      { ...limits, resultMs: 1 },
      never,
    )
    await expect(fetching).rejects.toMatchObject({
      ...{ name: 'ResultLost', reason: 'error' },
      message: "The model's results took longer to fetch than the 0.001 s they may.",
    })
  })

  test('are left at once when nobody wants them any more, in a pause too, which is not their loss', async () => {
    const stop = new AbortController()
    const reason = new Error('canceled')
    const open = vi.fn(async () => {
      setImmediate(() => stop.abort(reason))
      throw new Error('nobody answers')
    })
    const from = instance({ put: there.put, open })
    const patient = { ...limits, retryMs: [60_000] }
    await expect(fetchResults(here, from, [fileRef(randomId(), 'a.txt')], patient, stop.signal)).rejects.toBe(reason)
    expect(open).toHaveBeenCalledOnce()
  })
})
