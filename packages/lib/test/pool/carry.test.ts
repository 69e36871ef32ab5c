import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { type FileRef, parseFileRef } from '@origami/protocol/demo'
import { FolderFiles } from '@origami/serving'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { inputForWorker, outputFromWorker, valueFromWorker } from '../../src/runtime/pool/carry.ts'
import { CountedFiles } from '../../src/runtime/pool/counted-files.ts'
import { newRun, schema } from './runs.ts'

const papers = schema.outputs.filter(({ name }) => name === 'copy').map((field) => ({ ...field, name: 'paper' }))
const withPaper = { ...schema, inputs: [...schema.inputs, ...papers] }

const command = promisify(execFile)

let folder: string
let files: CountedFiles
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-carry-'))
  files = new CountedFiles(new FolderFiles(join(folder, 'files'), { maxFileBytes: () => 1000 }))
})
afterEach(() => rm(folder, { recursive: true }))

describe('what a model gave', () => {
  const run = newRun()
  const give = (copy: unknown) => valueFromWorker(schema, 'copy', copy, run, files)
  const made = async (name: string, text = 'x') => {
    const path = join(folder, name)
    await writeFile(path, text)
    return path
  }

  test('is taken by the fields of the demo; what it did not give is null', async () => {
    const path = await made('out.txt')
    const { said, copy } = await outputFromWorker(schema, { said: 'yes', copy: { path } }, run, files)
    expect(said).toBe('yes')
    expect(parseFileRef(String(copy))?.name).toBe('out.txt')
    expect(await outputFromWorker(schema, {}, run, files)).toEqual({ said: null, copy: null })
  })

  test('as a file is a copy, which lives as long as its prediction', async () => {
    const path = await made('out.bin', 'bytes')
    const ref = (await give({ path, name: 'a b.bin', type: 'application/pdf' })) as FileRef
    await rm(path)
    const file = await files.open(ref)
    expect(file).toMatchObject({ name: 'a b.bin', type: 'application/pdf', size: 5 })
    expect(String(file && (await buffer(file.bytes())))).toBe('bytes')
    await files.release(run.id)
    expect(await files.open(ref)).toBeUndefined()
  })

  test('that is no file is refused with what it is, and nothing waits for it', async () => {
    await symlink('/etc/hostname', join(folder, 'link'))
    await mkdir(join(folder, 'folder'))
    await command('mkfifo', [join(folder, 'pipe')])
    for (const [name, what] of Object.entries({
      link: 'is a link',
      folder: 'is none',
      pipe: 'is none',
      nothing: 'is not there',
    }))
      await expect(give({ path: join(folder, name) })).rejects.toThrow(
        `output copy: expected a file, but ${name} ${what}`,
      )
    expect(files.bytes).toBe(0)
  })

  test('has a name of one line that travels, whatever the model called it', async () => {
    const path = await made('out.txt')
    const hostile = fc.constantFrom(
      '../../etc/passwd',
      '..',
      '',
      '\n',
      'a\\b',
      '\ud83d\ude00'.repeat(300),
      '\ud800',
      '.',
    )
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(hostile, fc.string({ unit: 'binary' }), fc.string({ minLength: 190 })),
        async (name) => {
          const ref = await give({ path, name })
          const taken = parseFileRef(String(ref))?.name ?? ''
          expect(taken).toMatch(/^[^/\\\0\n]{1,200}$/)
          expect(await files.open(ref as FileRef)).toMatchObject({ name: taken, size: 1 })
        },
      ),
      { numRuns: 40 },
    )
  })

  test('is refused where the demo has no such output, or another kind', async () => {
    await expect(valueFromWorker(schema, 'x'.repeat(9999), 1, run, files)).rejects.toThrow(
      `the model gave an output "${'x'.repeat(100)}" that its description does not have`,
    )
    await expect(valueFromWorker(schema, 'said', 5, run, files)).rejects.toThrow(
      'The model gave a wrong output: said: expected text, got 5',
    )
    for (const wrong of ['/etc/passwd', 'https://x/a.png', { path: '' }, {}, 7])
      await expect(give(wrong)).rejects.toThrow('The model gave a wrong output: copy: expected a file')
  })
})

describe('what a worker is handed', () => {
  test('is the input, with files as where they are on disk', async () => {
    const ref = await files.put(
      'a'.repeat(16),
      'ä.txt',
      'text/plain',
      (async function* () {
        yield Buffer.from('hello')
      })(),
    )
    const run = newRun()
    Object.assign(run.input, { paper: ref })
    const { say, paper } = await inputForWorker(withPaper, run, files)
    expect([say, paper]).toEqual([
      'x',
      { path: join(folder, 'files', 'a'.repeat(16), 'file/_.txt'), name: 'ä.txt', type: 'text/plain' },
    ])
    expect(run.input.paper).toBe(ref)
  })

  test('is nothing where a file went meanwhile; one that was left out is not missed', async () => {
    const [run, without] = [newRun(), newRun()]
    Object.assign(run.input, { paper: `files/${'a'.repeat(16)}/gone.txt` })
    Object.assign(without.input, { paper: null })
    await expect(inputForWorker(withPaper, run, files)).rejects.toThrow('the file of paper is gone')
    expect(await inputForWorker(withPaper, without, files)).toEqual({ say: 'x', paper: null })
  })

  test('has a text that looks like a reference as it is', async () => {
    const run = newRun()
    Object.assign(run.input, { say: `files/${'a'.repeat(16)}/x.txt` })
    expect(await inputForWorker(schema, run, files)).toEqual(run.input)
  })
})
