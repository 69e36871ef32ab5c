import { expect, test } from 'vitest'
import { startPythonWorker } from './python-worker.ts'

test.each([
  ['relative', 'from . import helpers\nfrom .helpers import word'],
  ['from the folder, as without a package', 'import helpers\nfrom helpers import word'],
])('a model in a package imports what is beside it: %s', async (_, imports) => {
  await using worker = await startPythonWorker(
    {
      'my-lab/__init__.py': 'place = "lab"',
      'my-lab/inner/__init__.py': '',
      'my-lab/inner/helpers.py': 'word = "help"',
      'my-lab/inner/model.py': `${imports}\ndef predict() -> str:\n    return word + helpers.word`,
    },
    { model: 'my-lab/inner/model.py' },
  )
  worker.predict('of-a-package')
  expect(await worker.end('of-a-package')).toMatchObject({ type: 'done', output: { output: 'helphelp' } })
})

test('a model reaches the packages around it, by dots and by name, and a class in it is found', async () => {
  await using worker = await startPythonWorker(
    {
      'lab/__init__.py': 'place = "lab"',
      'lab/inner/__init__.py': '',
      'lab/inner/model.py':
        'import lab.inner.model as own\nfrom .. import place\nfrom lab import place as again\nclass Model:\n    def predict(self) -> str:\n        return place + again + own.__name__',
    },
    { model: 'lab/inner/model.py' },
  )
  worker.predict('of-packages')
  expect(await worker.end('of-packages')).toMatchObject({ type: 'done', output: { output: 'lablablab.inner.model' } })
})

test('a model that its package imports is imported once', async () => {
  await using worker = await startPythonWorker(
    {
      'lab/__init__.py': 'from .model import predict',
      'lab/model.py': 'print("the weights are read")\ndef predict() -> str:\n    return __name__',
    },
    { model: 'lab/model.py' },
  )
  worker.predict('imported-once')
  expect(await worker.end('imported-once')).toMatchObject({ type: 'done', output: { output: 'lab.model' } })
  expect(worker.printed().match(/the weights are read/g)).toHaveLength(1)
})

test('a model reads the files beside it while it is imported and while it predicts', async () => {
  const model = 'early = open("words.txt").read()\ndef predict() -> str:\n    return early + open("words.txt").read()'
  await using worker = await startPythonWorker({ 'model.py': model, 'words.txt': 'beside' })
  worker.predict('reads-a-file')
  expect(await worker.end('reads-a-file')).toMatchObject({ output: { output: 'besidebeside' } })
})

test.each([
  ['a server', 'import helper\nhelper.app.launch()', 'line 2: helper.app.launch()'],
  ['a loop without end', 'import helper\nwhile True:\n    pass', 'line 2: while True:|line 3: pass'],
])('an import that does not come back is told with the line it stands in: %s', async (_, model, line) => {
  const helper = 'import threading\nclass App:\n    launch = threading.Event().wait\napp = App()'
  await using worker = await startPythonWorker(
    { 'model.py': model, 'helper.py': helper },
    { env: { ORIGAMI_IMPORT_PATIENCE: '0.2' } },
  )
  await expect
    .poll(worker.printed)
    .toMatch(
      new RegExp(
        `model\\.py has not finished importing after 0\\.2 s\\. It stands in model\\.py, (${line.replaceAll(/[()]/g, '\\$&')})\n`,
      ),
    )
  expect(worker.printed()).toContain('if __name__ == "__main__":')
  expect(worker.printed().match(/has not finished/g)).toHaveLength(1)
})

test.each(['soon', 'nan', '-1', '1e300'])('a patience of %s is refused with what was expected', async (said) => {
  await using worker = await startPythonWorker(
    { 'model.py': 'def predict(): ...' },
    { env: { ORIGAMI_IMPORT_PATIENCE: said } },
  )
  const error = `ORIGAMI_IMPORT_PATIENCE: expected seconds, such as 20, got '${said}'`
  expect(await worker.frame('setup_failed')).toMatchObject({ error: expect.stringContaining(error) })
})

test('a library in the folder is not what the author wrote: the line that called it is told', async () => {
  await using worker = await startPythonWorker(
    {
      'model.py': 'import sys\nsys.path.append(".venv/lib/site-packages")\nimport gradio\ngradio.launch()',
      '.venv/lib/site-packages/gradio.py': 'def launch():\n    while True:\n        pass',
    },
    { env: { ORIGAMI_IMPORT_PATIENCE: '0.2' } },
  )
  await expect.poll(worker.printed).toContain('It stands in model.py, line 4: gradio.launch()')
})

const states: [string, string, 'schema' | 'ready' | 'progress' | 'printed'][] = [
  ['importing', 'print("here")\nwhile True: pass', 'printed'],
  ['setting up', 'def predict(): ...\ndef setup():\n    while True: pass', 'schema'],
  [
    'setting up, awaiting',
    'import asyncio\ndef predict(): ...\nasync def setup(): await asyncio.sleep(3600)',
    'schema',
  ],
  ['idle', 'import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ndef predict(): ...', 'ready'],
  ['predicting', 'from origami import progress\ndef predict():\n    progress(1)\n    while True: pass', 'progress'],
  [
    'predicting, awaiting',
    'import asyncio\nfrom origami import progress\nasync def predict():\n    progress(1)\n    await asyncio.sleep(3600)',
    'progress',
  ],
  [
    'swallowing its cancel',
    'from origami import progress\ndef predict():\n    progress(1)\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass',
    'progress',
  ],
]

test.each(states)('SIGTERM and a runtime that goes away end a worker that is %s', async (name, model, until) => {
  for (const way of ['SIGTERM', 'hang up']) {
    await using worker = await startPythonWorker({ 'model.py': model })
    if (until === 'printed') await expect.poll(worker.printed, { timeout: 10_000 }).toContain('here')
    else {
      worker.predict('under-way-now')
      await worker.frame(until)
    }
    if (name === 'swallowing its cancel') worker.send({ type: 'cancel', id: 'under-way-now' })
    if (way === 'SIGTERM') process.kill(worker.pid, 'SIGTERM')
    else worker.hangUp()
    expect(await worker.exited).toBe(way === 'SIGTERM' ? 'SIGTERM' : 0)
  }
})

test('a model that ends itself while it is imported says so', async () => {
  await using worker = await startPythonWorker({ 'model.py': 'raise SystemExit(2)' })
  expect(await worker.frame('setup_failed')).toMatchObject({ error: 'the model ended itself: exit(2)' })
})
