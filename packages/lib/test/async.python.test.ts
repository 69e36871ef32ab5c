import { expect, test } from 'vitest'
import { type PythonWorker, startPythonWorker } from './python-worker.ts'

const asynchronous = `
import asyncio, sys
from origami import demo, progress

gate = {}
started = None
beats = 0

async def setup():
    global started
    started = asyncio.get_running_loop()
    asyncio.create_task(beat())
    await asyncio.sleep(0)

async def beat():
    global beats
    while True:
        beats += 1
        await asyncio.sleep(0.001)

@demo(concurrency=3)
async def predict(name: str, how: str = "wait") -> str:
    gate[name] = asyncio.Event()
    print("hello from", name)
    await asyncio.to_thread(print, "thread of", name, file=sys.stderr)
    progress(1, 2, name)
    if how == "open":
        for event in gate.values():
            event.set()
    if how == "swallow":
        try:
            await gate[name].wait()
        except asyncio.CancelledError:
            return "swallowed"
    if how == "clean":
        try:
            await gate[name].wait()
        finally:
            await asyncio.sleep(0)
            print("cleaned", name)
    if how == "break":
        try:
            await gate[name].wait()
        finally:
            raise RuntimeError("cleanup failed")
    if how == "exit":
        sys.exit(3)
    if how == "give up":
        raise asyncio.CancelledError
    if how == "beats":
        return str(beats > 0 and started is asyncio.get_running_loop())
    await gate[name].wait()
    return name
`

const printedBy = ({ frames }: PythonWorker, id: string, source: string) =>
  frames
    .filter((frame) => frame.type === 'log' && frame.id === id && frame.source === source)
    .map(({ text }) => text)
    .join('')

test('several predictions of an async function run at once, and what each printed is its own', async () => {
  await using worker = await startPythonWorker({ 'model.py': asynchronous })
  expect(await worker.frame('ready')).toEqual({ type: 'ready', slots: 3, ahead: 8 })
  worker.predict('first-of-them', { name: 'first' })
  worker.predict('second-of-them', { name: 'second' })
  await worker.frame('progress', 'first-of-them')
  await worker.frame('progress', 'second-of-them')
  worker.predict('opens-the-gate', { name: 'third', how: 'open' })
  for (const [id, name] of Object.entries({
    'first-of-them': 'first',
    'second-of-them': 'second',
    'opens-the-gate': 'third',
  })) {
    expect(await worker.end(id)).toEqual({ type: 'done', id, output: { output: name }, marked: false })
    expect(await worker.frame('progress', id)).toMatchObject({ note: name })
    expect([printedBy(worker, id, 'stdout'), printedBy(worker, id, 'stderr')]).toEqual([
      `hello from ${name}\n`,
      `thread of ${name}\n`,
    ])
  }
  expect(worker.printed()).not.toContain('hello')
})

test('setup may be async; its loop is that of all predictions, and its tasks live on', async () => {
  await using worker = await startPythonWorker({ 'model.py': asynchronous })
  worker.predict('about-the-loop', { name: 'x', how: 'beats' })
  expect(await worker.end('about-the-loop')).toMatchObject({ output: { output: 'True' } })
})

test('a cancel ends the one prediction, after its cleanup was awaited; the others go on', async () => {
  await using worker = await startPythonWorker({ 'model.py': asynchronous })
  worker.predict('is-canceled', { name: 'a', how: 'clean' })
  worker.predict('goes-on-then', { name: 'b' })
  await worker.frame('progress', 'is-canceled')
  await worker.frame('progress', 'goes-on-then')
  worker.send({ type: 'cancel', id: 'is-canceled' })
  worker.send({ type: 'cancel', id: 'nobody-at-all' })
  expect((await worker.end('is-canceled')).type).toBe('canceled')
  expect(printedBy(worker, 'is-canceled', 'stdout')).toContain('cleaned a\n')
  worker.predict('opens-the-gate', { name: 'c', how: 'open' })
  expect(await worker.end('goes-on-then')).toMatchObject({ type: 'done', output: { output: 'b' } })
})

test('a cancel right behind its call is not lost', async () => {
  await using worker = await startPythonWorker({ 'model.py': asynchronous })
  worker.predict('never-begins', { name: 'a' })
  worker.send({ type: 'cancel', id: 'never-begins' })
  expect((await worker.end('never-begins')).type).toBe('canceled')
})

test('a model that swallows its cancel, breaks in its cleanup, exits or cancels itself takes nobody down', async () => {
  await using worker = await startPythonWorker({ 'model.py': asynchronous })
  for (const how of ['swallow', 'break']) {
    worker.predict(`call-${how}`, { name: how, how })
    await worker.frame('progress', `call-${how}`)
    worker.send({ type: 'cancel', id: `call-${how}` })
  }
  expect(await worker.end('call-swallow')).toMatchObject({ type: 'done', output: { output: 'swallowed' } })
  expect((await worker.end('call-break')).type).toBe('canceled')
  expect(printedBy(worker, 'call-break', 'stderr')).toContain('RuntimeError: cleanup failed')
  worker.predict('call-exit', { name: 'exit', how: 'exit' })
  expect(await worker.end('call-exit')).toMatchObject({
    type: 'failed',
    error: 'RuntimeError: the model called exit(3)',
  })
  worker.predict('gives-up', { name: 'up', how: 'give up' })
  expect(await worker.end('gives-up')).toMatchObject({
    type: 'failed',
    error: expect.stringContaining('CancelledError'),
  })
  worker.predict('afterwards', { name: 'x', how: 'open' })
  expect(await worker.end('afterwards')).toMatchObject({ type: 'done' })
})

test('an async generator grows its text, is closed when it is canceled, and with one slot prints to the terminals', async () => {
  const model = `
import asyncio
from typing import AsyncIterator
async def predict(stop: bool = False) -> AsyncIterator[str]:
    try:
        for word in ("a ", "b ", "c "):
            print("says", word)
            yield word
        await asyncio.sleep(0 if not stop else 3600)
    finally:
        await asyncio.sleep(0)
        print("closed")
`
  await using worker = await startPythonWorker({ 'model.py': model })
  expect(await worker.frame('ready')).toEqual({ type: 'ready' })
  worker.predict('says-three', {})
  expect(await worker.end('says-three')).toMatchObject({ type: 'done', output: { output: 'a b c ' } })
  const parts = worker.frames.filter(({ type }) => type === 'output')
  expect(parts.map(({ mode, chunk }) => [mode, chunk])).toEqual(['a ', 'b ', 'c '].map((word) => ['append', word]))
  worker.predict('is-stopped', { stop: true })
  await worker.frame('output', 'is-stopped')
  worker.send({ type: 'cancel', id: 'is-stopped' })
  expect((await worker.end('is-stopped')).type).toBe('canceled')
  await expect.poll(worker.printed).toMatch(/says c \n(.|\n)*closed\n(.|\n)*says c \n(.|\n)*closed\n/)
  expect(worker.frames.filter(({ type }) => type === 'log')).toEqual([])
})

test.each([
  ['a plain function that returns a coroutine', 'def predict(name: str):\n    return later(name)'],
  ['one that returns a task', 'def predict(name: str):\n    return asyncio.get_event_loop().create_task(later(name))'],
  [
    'an awaitable of an awaitable',
    'async def twice(name): return later(name)\ndef predict(name: str):\n    return twice(name)',
  ],
  ['an async method', 'class Model:\n    async def predict(self, name: str) -> str:\n        return await later(name)'],
])('what is to be awaited is awaited: %s', async (_, model) => {
  const later = 'import asyncio\nasync def later(name):\n    await asyncio.sleep(0)\n    return name + "!"\n'
  await using worker = await startPythonWorker({ 'model.py': later + model })
  worker.predict('to-be-awaited', { name: 'x' })
  expect(await worker.end('to-be-awaited')).toMatchObject({ type: 'done', output: { output: 'x!' } })
})

test('a cancel reaches the coroutine that a plain function returned, and the next call is answered', async () => {
  const model = `
import asyncio
from origami import progress
async def later():
    progress(1)
    try:
        await asyncio.sleep(3600)
    finally:
        await asyncio.sleep(0)
        print("cleaned")
def predict(wait: bool):
    return later() if wait else "done"
`
  await using worker = await startPythonWorker({ 'model.py': model })
  worker.predict('waits-long', { wait: true })
  await worker.frame('progress', 'waits-long')
  worker.send({ type: 'cancel', id: 'waits-long' })
  expect((await worker.end('waits-long')).type).toBe('canceled')
  await expect.poll(worker.printed).toContain('cleaned')
  worker.predict('the-next-one', { wait: false })
  expect(await worker.end('the-next-one')).toMatchObject({ type: 'done', output: { output: 'done' } })
})

test('a cancel of an ordinary function is not lost between two calls, and breaks no message', async () => {
  const model = `
def predict(loud: bool):
    while True:
        yield "x" * (1_000_000 if loud else 1)
`
  await using worker = await startPythonWorker({ 'model.py': model })
  for (const id of ['canceled-1', 'canceled-2', 'canceled-3']) {
    worker.predict(id, { loud: true })
    if (id !== 'canceled-2') await worker.frame('output', id)
    worker.send({ type: 'cancel', id })
    expect((await worker.end(id)).type).toBe('canceled')
  }
})

test('those written ahead begin in order, each when another ended; one that is canceled before never runs', async () => {
  await using worker = await startPythonWorker({ 'model.py': asynchronous })
  await worker.frame('ready')
  const names = ['one', 'two', 'three', 'four', 'five', 'six']
  for (const name of names) worker.predict(`call-${name}`, { name })
  worker.send({ type: 'cancel', id: 'call-four' })
  expect((await worker.end('call-four')).type).toBe('canceled')
  for (const name of ['one', 'two', 'three']) await worker.frame('progress', `call-${name}`)
  worker.send({ type: 'cancel', id: 'call-two' })
  await worker.frame('progress', 'call-five')
  worker.send({ type: 'cancel', id: 'call-one' })
  await worker.frame('progress', 'call-six')
  const told = worker.frames
    .filter(({ type, id }) => type === 'progress' || (type === 'canceled' && id !== 'call-four'))
    .map(({ type, id }) => `${type} ${id}`)
  const from = told.indexOf('canceled call-two')
  expect(told.slice(from)).toEqual([
    'canceled call-two',
    'progress call-five',
    'canceled call-one',
    'progress call-six',
  ])
  expect(told).not.toContain('progress call-four')
})
