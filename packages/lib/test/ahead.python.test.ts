import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { encodeFrame } from '../src/runtime/wire/frames.ts'
import { type PythonWorker, startPythonWorker } from './python-worker.ts'
import { post, serve } from './serve-model.ts'

const gated = `
import os, time
def predict(name: str, gate: str = "", loud: bool = True) -> str:
    while gate and not os.path.exists(gate):
        time.sleep(0.001)
    if loud:
        os.write(1, f"by {name}\\n".encode())
    if name == "marks":
        open("ran", "w").close()
    if name == "dies":
        os._exit(3)
    return name
`

/** Calls that are written at once, all but the first ahead. */
function write(worker: PythonWorker, ids: readonly string[], input: (id: string) => Record<string, unknown>): void {
  const calls = ids.map((id, index) => ({
    ...{ type: 'predict', id, input: input(id), outbox: '' },
    ...(index > 0 ? { ahead: true } : {}),
  }))
  worker.sendBytes(Buffer.concat(calls.map(encodeFrame)))
}

/** Where each stands. -1: nowhere. */
const positions = (text: string, parts: readonly string[]) => parts.map((part) => text.indexOf(part))

test('calls that wait in a worker run one after the other, and what each prints ends with its mark', async () => {
  await using worker = await startPythonWorker({ 'model.py': gated })
  expect(await worker.frame('ready')).toEqual({ type: 'ready', ahead: 8 })
  const ids = ['call-one', 'call-two', 'call-three', 'call-four']
  write(worker, ids, (id) => ({ name: id }))
  for (const id of ids) expect(await worker.end(id)).toMatchObject({ type: 'done', output: { output: id } })
  expect(worker.frames.filter(({ type }) => type === 'done').map(({ id }) => id)).toEqual(ids)
  await expect.poll(worker.printed).toContain('by call-four\n')
  const parts = ids.slice(1).flatMap((id, index) => [`\u001e${ids[index]}\n`, `by ${id}\n`])
  expect(positions(worker.printed(), parts)).toEqual(positions(worker.printed(), parts).toSorted((a, b) => a - b))
})

test('where one that printed nothing ended without a mark, its mark comes before one that was written ahead', async () => {
  await using worker = await startPythonWorker({ 'model.py': gated })
  await worker.frame('ready')
  await expect.poll(worker.printed).toMatch(/setup\n.*setup\n/)
  worker.predict('call-quiet', { name: 'quiet', loud: false })
  expect(await worker.end('call-quiet')).toMatchObject({ marked: false })
  worker.send({ type: 'predict', id: 'call-loud', input: { name: 'loud' }, outbox: '', ahead: true })
  await worker.end('call-loud')
  await expect.poll(worker.printed).toContain('by loud\n')
  const [mark = -1, text = -1] = positions(worker.printed(), ['\u001ecall-quiet\n', 'by loud\n'])
  expect([mark >= 0, mark < text]).toEqual([true, true])
})

test('one that took no time and printed nothing is not marked, also where others were written ahead', async () => {
  await using worker = await startPythonWorker({ 'model.py': gated })
  await worker.frame('ready')
  const isMarked = (id: string) => worker.printed().includes(`\u001e${id}\n`)
  for (let round = 0; ; round += 1) {
    const ids = Array.from({ length: 10 }, (_, index) => `call-${round}-${index}`)
    write(worker, ids, (id) => ({ name: id, loud: id === ids[9] }))
    await worker.end(`call-${round}-9`)
    await expect.poll(worker.printed).toContain(`by call-${round}-9\n`)
    // The first may be long after another; the machine may pause the worker at any later one.
    if (!isMarked(`call-${round}-8`)) break
  }
})

test('one that is canceled while it waits never runs, and those behind it do', async () => {
  await using worker = await startPythonWorker({ 'model.py': gated })
  const gate = join(worker.folder, 'gate')
  write(worker, ['call-held', 'call-canceled', 'call-next'], (id) => ({
    name: id === 'call-canceled' ? 'marks' : id,
    gate: id === 'call-held' ? gate : '',
  }))
  worker.send({ type: 'cancel', id: 'call-canceled' })
  await writeFile(gate, '')
  expect((await worker.end('call-held')).type).toBe('done')
  expect((await worker.end('call-canceled')).type).toBe('canceled')
  expect((await worker.end('call-next')).type).toBe('done')
  expect(existsSync(join(worker.folder, 'ran'))).toBe(false)
})

test('a cancel reaches one that runs long, however many wait behind it', async () => {
  await using worker = await startPythonWorker({ 'model.py': gated })
  write(worker, ['call-first', 'call-long', 'call-next'], (id) => ({
    name: id,
    gate: id === 'call-long' ? '/nowhere/gate' : '',
  }))
  await worker.end('call-first')
  worker.send({ type: 'cancel', id: 'call-long' })
  expect((await worker.end('call-long')).type).toBe('canceled')
  expect((await worker.end('call-next')).type).toBe('done')
})

test('a worker with calls that wait ends with its runtime, also in the middle of a prediction', async () => {
  await using worker = await startPythonWorker({ 'model.py': gated })
  write(worker, ['call-long', 'call-next'], (id) => ({ name: id, gate: '/nowhere/gate' }))
  await worker.frame('ready')
  worker.hangUp()
  expect(await worker.exited).toBe(0)
})

test('of many at once each has its own output and log, and a death takes one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'origami-ahead-'))
  await writeFile(join(folder, 'model.py'), gated)
  {
    await using runtime = await serve(join(folder, 'model.py'))
    const names = Array.from({ length: 60 }, (_, index) => (index === 30 ? 'dies' : `name-${index}`))
    const answers = await Promise.all(names.map((name, index) => post(runtime.url, { name, loud: index % 3 !== 0 })))
    for (const [index, { body }] of answers.entries()) {
      const name = names[index] ?? ''
      if (name === 'dies') expect(body).toMatchObject({ status: 'failed', reason: 'crashed' })
      else
        expect([body.status, body.output, body.logs]).toEqual([
          'succeeded',
          name,
          index % 3 === 0 ? '' : `by ${name}\n`,
        ])
    }
  }
  await rm(folder, { recursive: true })
})
