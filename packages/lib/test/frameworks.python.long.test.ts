import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describePython, startPythonWorker } from './python-worker.ts'

const header = `
import numpy, numpy.typing, pandas, plotly.graph_objects, pydantic
from matplotlib.figure import Figure
from PIL import Image
class Model(pydantic.BaseModel):
    size: int = 1
`
let folder: string
let program: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-frameworks-'))
  program = join(folder, 'bin/python')
  await execa('python3', ['-m', 'venv', folder])
  const packages = ['numpy', 'pandas', 'matplotlib', 'plotly', 'pydantic', 'pillow']
  await execa(join(folder, 'bin/pip'), ['install', '--disable-pip-version-check', ...packages])
}, 300_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

test('what arrays, frames, figures, pydantic models and lists of pictures are refused for, and taken as', async () => {
  const types: [string, RegExp, RegExp][] = [
    ['numpy.ndarray', /take a list, or PIL/, /\.tolist\(\)/],
    ['numpy.typing.NDArray[numpy.float32]', /take a list, or PIL/, /\.tolist\(\)/],
    ['dict[str, numpy.ndarray]', /holds numpy\.ndarray.*take a list/, /holds numpy\.ndarray.*\.tolist\(\)/],
    ['numpy.float32', /take a list/, /\.item\(\)/],
    ['pandas.DataFrame', /take a pathlib\.Path and read the table/, /return list\[dict\]/],
    ['Figure', /what the figure is made of/, /Annotated\[pathlib\.Path, Image\(\)\]/],
    ['plotly.graph_objects.Figure', /what the figure is made of/, /Annotated\[pathlib\.Path, Image\(\)\]/],
    ['Model', /take a dict/, /\.model_dump\(\)/],
    ['list[Model]', /take a dict/, /\.model_dump\(\)/],
    ['list[Image.Image]', /each picture by an argument of its own/, /return one PIL\.Image\.Image/],
    [
      'list[Image]',
      /^predict: given: list\[PIL\.Image\] cannot/,
      /^predict: what it returns: list\[PIL\.Image\] cannot/,
    ],
  ]
  const sources = types.flatMap(([hint]) => [`def predict(given: ${hint}): ...`, `def predict() -> ${hint}: ...`])
  const found = await describePython(
    sources.map((source) => header + source),
    program,
  )
  for (const [index, [hint, asInput, asOutput]] of types.entries()) {
    expect(found[2 * index]?.refused, hint).toMatch(asInput)
    expect(found[2 * index + 1]?.refused, hint).toMatch(asOutput)
  }
})

test('without a type, arrays and their numbers are numbers; frames, figures and pydantic models are errors in words', async () => {
  const values: [string, unknown][] = [
    ['numpy.arange(3)', [0, 1, 2]],
    ['{"a": numpy.float32(1.5), numpy.int64(3): numpy.bool_(True)}', { a: 1.5, 3: true }],
    ['numpy.array([numpy.nan])', /expected a finite number, got nan at \[0\]/],
    ['numpy.datetime64("2026-01-01")', /got datetime\.date; return it as str/],
    ['pandas.DataFrame({"a": [1]})', /got pandas\.\S*DataFrame; return list\[dict\]/],
    ['pandas.Series([1])', /got pandas\.\S*Series; return list\[dict\]/],
    ['[Figure()]', /got matplotlib\.figure\.Figure at \[0\]; save the figure/],
    ['plotly.graph_objects.Figure()', /got plotly\.\S*Figure; save the figure/],
    ['Model()', /got \S*Model; return a dict/],
    ['{"picture": Image.new("RGB", (1, 1))}', /got PIL\.Image\.Image at \['picture'\]; return one/],
  ]
  const bodies = values.map(([value], index) => `    if number == ${index}: return ${value}`)
  const model = `${header}\ndef predict(number: int):\n${bodies.join('\n')}`
  await using worker = await startPythonWorker({ 'model.py': model }, { program })
  for (const [index, [value, expected]] of values.entries()) {
    worker.predict(`the-value-${index}`, { number: index })
    const { error, output } = await worker.end(`the-value-${index}`)
    if (expected instanceof RegExp) expect(error, value).toMatch(expected)
    else expect(output, value).toEqual({ output: expected })
  }
})
