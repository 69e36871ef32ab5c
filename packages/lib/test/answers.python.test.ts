import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startPythonWorker } from './python-worker.ts'
import { post, serve } from './serve-model.ts'

/** One model that contains each body of `predict`, chosen by its number. */
const choosing = (bodies: readonly string[], returns = '') => `
import asyncio, collections, dataclasses, datetime, decimal, enum, io
from pathlib import Path
@dataclasses.dataclass
class Row:
    word: str
    at: object = None
class Colour(enum.Enum):
    RED = "red"
async def later(): return 1
def pieces(): yield 1
loop = []
loop.append(loop)
def predict(number: int)${returns}:
${bodies.map((body, index) => `    if number == ${index}: return ${body}`).join('\n')}
`

/** The output of each body, or why it failed. */
async function outcomes(bodies: readonly string[], returns = '') {
  await using worker = await startPythonWorker({ 'model.py': choosing(bodies, returns) })
  const ends: unknown[] = []
  for (const index of bodies.keys()) {
    worker.predict(`outcome-${index}`, { number: index })
    const { type, output, error } = await worker.end(`outcome-${index}`)
    ends.push(type === 'done' ? (output as { output: unknown }).output : error)
  }
  return { ends, sent: JSON.stringify(worker.frames) }
}

test('without a type, what JSON has is the answer', async () => {
  const { ends } = await outcomes([
    '{"a": [1, 2.5, None, True, ("b", {3})]}',
    'Row("x", [Row("y")])',
    'Colour.RED',
    '{1: 2, Colour.RED: 3}',
    'pieces()',
    'None',
    '"text"',
    'collections.namedtuple("Pair", "a b")(1, 2)',
  ])
  expect(ends).toEqual([
    { a: [1, 2.5, null, true, ['b', [3]]] },
    { word: 'x', at: [{ word: 'y', at: null }] },
    'red',
    { 1: 2, red: 3 },
    1,
    null,
    'text',
    [1, 2],
  ])
})

test('no path of the server, no bytes, no file, no date and nothing unfinished is an answer', async () => {
  const { ends, sent } = await outcomes([
    'Path("/server/secret.txt")',
    '{"files": [1, {"of": Path("/server/secret.txt")}]}',
    '{Path("/server/secret.txt"): 1}',
    'Row("x", Path("/server/secret.txt"))',
    'b"bytes"',
    'io.BytesIO()',
    'datetime.datetime(2026, 1, 1)',
    'decimal.Decimal(1)',
    '[later()]',
    '{"later": pieces()}',
    'map(str, [1])',
    'object()',
    'loop',
  ])
  const expected = [
    /^TypeError: output output: expected what JSON has, got pathlib\.PosixPath; return one pathlib\.Path/,
    /got pathlib\.PosixPath at \['files'\]\[1\]\['of'\]; /,
    /got pathlib\.PosixPath at .*\(a key\); /,
    /got pathlib\.PosixPath at \.at; /,
    /got bytes; write it into a file/,
    /got _io\.BytesIO; write it into a file/,
    /got datetime\.datetime; return it as str/,
    /got decimal\.Decimal; return it as str/,
    /got coroutine at \[0\]; /,
    /got generator at \['later'\]; /,
    /got map; return str, int/,
    /got object; return str, int/,
    /^ValueError: output output: it is nested too deep, or holds itself$/,
  ]
  for (const [index, pattern] of expected.entries()) expect(ends[index]).toMatch(pattern)
  expect(sent).not.toContain('/server/')
})

test('numbers that JSON does not have are errors that name the output', async () => {
  const { ends } = await outcomes(['float("nan")', '{"a": [float("inf")]}'])
  expect(ends[0]).toMatch(/^ValueError: output output: expected a finite number, got nan/)
  expect(ends[1]).toMatch(/^ValueError: output output: expected a finite number, got inf at \['a'\]\[0\]/)
})

test('text is text: a path, a coroutine or a list is none', async () => {
  const { ends, sent } = await outcomes(
    ['"word"', '3', 'Colour.RED', 'Path("/server/secret")', '[Path("/server/secret")]', 'pieces', 'b"x"'],
    ' -> str',
  )
  expect(ends.slice(0, 3)).toEqual(['word', '3', 'red'])
  for (const end of ends.slice(3)) expect(end).toMatch(/^TypeError: output output: expected text, got /)
  expect(sent).not.toContain('/server/')
})

test('a file is a path that is there', async () => {
  const { ends } = await outcomes(
    ['__file__', 'Path("model.py")', 'Path("/server/gone.txt")', 'open(__file__)', '3'],
    ' -> Path',
  )
  expect(ends.slice(0, 2)).toMatchObject([{ name: 'model.py' }, { name: 'model.py' }])
  expect(ends[2]).toBe('FileNotFoundError: output output: there is no file gone.txt')
  expect(ends[3]).toMatch(
    /^TypeError: output output: expected the path of a file, got _io\.TextIOWrapper; write it into a file/,
  )
  expect(ends[4]).toMatch(/^TypeError: output output: expected the path of a file, got int/)
})

test('labels are numbers by class', async () => {
  const { ends } = await outcomes(
    ['{"a": 0.5}', '["a"]', '{Path("/server"): 1}', '{"a": float("nan")}'],
    ' -> dict[str, float]',
  )
  expect(ends[0]).toEqual({ a: 0.5 })
  expect(ends[1]).toMatch(/expected confidences by class, dict\[str, float\], got list$/)
  expect(ends[2]).toMatch(/got pathlib\.PosixPath/)
  expect(ends[3]).toMatch(/expected a finite number, got nan at \['a'\]/)
})

test("a class of one's own that says it is an iterator streams its text, as Cog has it", async () => {
  const model = `
from typing import Iterator
class ConcatenateIterator(Iterator[str]):
    @classmethod
    def validate(cls, value): return value
def predict(how: str) -> ConcatenateIterator:
    return {"generator": lambda: (word for word in ("a", "b")), "iterator": lambda: iter(["a", "b"]), "list": lambda: ["a", None, "b"], "text": lambda: "ab"}[how]()
`
  await using worker = await startPythonWorker({ 'model.py': model })
  expect((await worker.frame('schema')).schema).toMatchObject({ streaming: true, outputs: [{ component: 'text' }] })
  for (const how of ['generator', 'iterator', 'list', 'text']) {
    worker.predict(`streams-${how}`, { how })
    expect(await worker.end(`streams-${how}`)).toMatchObject({ type: 'done', output: { output: 'ab' } })
  }
  const chunks = worker.frames
    .filter(({ type, id }) => type === 'output' && id === 'streams-iterator')
    .map(({ chunk }) => chunk)
  expect(chunks).toEqual(['a', 'b'])
})

test('an output that is too large for a message is an error in words, and so is an input', async () => {
  await using worker = await startPythonWorker({
    'model.py': 'def predict(size: int = 1) -> list:\n    return ["x" * size]',
  })
  worker.predict('much-too-large', { size: 65 * 1024 ** 2 })
  expect((await worker.end('much-too-large')).error).toMatch(
    /^the output: it is \d+ bytes as JSON; at most 67108864 are taken: give/,
  )
  const head = Buffer.alloc(4)
  const body = Buffer.alloc(64 * 1024 ** 2 + 1, ' ')
  head.writeUInt32BE(body.length)
  body.write('{"type":"predict","id":"input-too-large"')
  worker.sendBytes(Buffer.concat([head, body]))
  expect(await worker.end('input-too-large')).toMatchObject({
    type: 'failed',
    error: `the input is ${body.length} bytes as JSON; at most 67108864 are taken: send large data as a file`,
  })
  worker.predict('of-right-size', { size: 1 })
  expect(await worker.end('of-right-size')).toMatchObject({ type: 'done', output: { output: ['x'] } })
})

test('a broken or replaced stdout fails no prediction', async () => {
  const model = `
import os, sys
def predict(how: str) -> str:
    if how == "closed": sys.stdout.close()
    if how == "gone": os.close(1)
    if how == "replaced": sys.stdout = None
    print("said", flush=True)
    if sys.stdout: sys.stdout.write("written")
    return how
`
  for (const how of ['closed', 'gone', 'replaced']) {
    await using worker = await startPythonWorker({ 'model.py': model })
    for (const id of ['the-first-one', 'the-next-one']) {
      worker.predict(id, { how: id === 'the-first-one' ? how : 'nothing' })
      expect(await worker.end(id)).toMatchObject({ type: 'done' })
    }
  }
})

test('progress that is no number is an error, and exit() is one too', async () => {
  const model = `
import sys
from origami import progress
def predict(how: str) -> str:
    if how == "exit": sys.exit("enough")
    if how == "nan": progress(float("nan"))
    return how
`
  await using worker = await startPythonWorker({ 'model.py': model })
  worker.predict('progress-of-nan', { how: 'nan' })
  expect((await worker.end('progress-of-nan')).error).toBe('ValueError: progress: expected a finite number, got nan')
  worker.predict('exits-itself', { how: 'exit' })
  expect((await worker.end('exits-itself')).error).toBe("the model ended itself: exit('enough')")
  worker.predict('and-then-well', { how: 'well' })
  expect(await worker.end('and-then-well')).toMatchObject({ type: 'done' })
})

test('the end of a prediction that printed nothing is not marked on the terminals', async () => {
  const model = `
def predict(how: str) -> str:
    return how
`
  await using worker = await startPythonWorker({ 'model.py': model })
  await expect.poll(worker.printed).toMatch(/setup\n.*setup\n/)
  worker.predict('is-quiet', { how: 'quiet' })
  expect(await worker.end('is-quiet')).toMatchObject({ type: 'done', marked: false })
  expect(worker.printed()).not.toContain('is-quiet')
})

test('what a prediction printed, by whatever way, is in its own log', async () => {
  const model = `
import os, subprocess
def predict(how: str, number: int) -> str:
    if how == "print": print(number)
    if how == "write": os.write(2, f"{number}\\n".encode())
    if how == "program": subprocess.run(["echo", str(number)])
    return how
`
  const folder = await mkdtemp(join(tmpdir(), 'origami-printing-'))
  await writeFile(join(folder, 'model.py'), model)
  {
    await using runtime = await serve(join(folder, 'model.py'))
    const calls = ['print', 'write', 'program', 'quiet'].flatMap((how) =>
      [1, 2, 3, 4, 5].map((number) => post(runtime.url, { how, number })),
    )
    for (const { body } of await Promise.all(calls)) {
      const { how, number } = body.input
      expect([body.status, how, body.logs]).toEqual(['succeeded', how, how === 'quiet' ? '' : `${number}\n`])
    }
  }
  await rm(folder, { recursive: true })
})
