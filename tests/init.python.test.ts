import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { bundle } from 'origami-lib/bundler'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { newDemoFiles, writeNewDemo } from '../packages/cli/src/init/new-demo.ts'

const main = join(import.meta.dirname, '../packages/cli/src/main.ts')

/** A model with each kind of input and of output. */
const kinds = [
  ['text', 'label'],
  ['number', 'text'],
  ['image', 'image'],
  ['file', 'json'],
  ['image', 'number'],
  ['text', 'file'],
] as const

describe('origami init', () => {
  let folder: string
  const running: ChildProcess[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'origami-init-'))
  })
  afterAll(async () => {
    for (const child of running) {
      child.kill('SIGINT')
      if (child.exitCode === null) await once(child, 'exit')
    }
    await rm(folder, { recursive: true, force: true })
  })

  const origami = (...args: string[]) =>
    execa(process.execPath, [main, ...args], { cwd: folder, reject: false, stdin: 'ignore' })

  describe.each(['python', 'typescript'] as const)('in %s', (language) => {
    test.each(kinds)('%s to %s: what it writes bundles, and its example answers', async (input, output) => {
      const work = join(folder, `${language}-${input}-${output}`)
      const logged: string[] = []
      await writeNewDemo(work, newDemoFiles('new', { language, input, output, title: 'New' }))
      await bundle({ folder: work, onLog: (line) => logged.push(line) }, new AbortController().signal)
      expect(logged.at(-1)).toContain('it answers')
    })

    test('what it writes bundles at once, by the command', async () => {
      await origami('init', `${language}-bundled`, '--language', language, '--input', 'text', '--output', 'label')
      const { stdout, stderr } = await origami('bundle', `${language}-bundled`, '--json')
      expect(stderr).toContain('it answers')
      expect(JSON.parse(stdout)).toMatchObject({
        folder: join(folder, `${language}-bundled`),
        kept: [],
        bytes: expect.any(Number),
      })
    })

    test('what it writes serves at once', async () => {
      await origami('init', `${language}-served`, '--language', language, '--title', 'A "fine" day')
      const model = join(`${language}-served`, language === 'python' ? 'model.py' : 'model.ts')
      const child = spawn(process.execPath, [main, 'serve', model, '--port', '0', '--json'], {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      running.push(child)
      const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
      const { url } = JSON.parse(line)
      const headers = { 'content-type': 'application/json' }
      await vi.waitFor(async () => {
        const { title, inputs, outputs, examples } = await (await fetch(`${url}/schema`)).json()
        expect([title, inputs[0].component, outputs[0].component]).toEqual(['A "fine" day', 'text', 'label'])
        const answer = await fetch(`${url}/predictions`, {
          method: 'POST',
          headers,
          body: JSON.stringify({ input: examples[0] }),
        })
        expect(await answer.json()).toMatchObject({ status: 'succeeded' })
      })
    })
  })

  test('without a terminal it takes defaults, and says which', async () => {
    const { stdout, stderr } = await origami('init', 'night_sky')
    expect(stderr).toBe('No terminal to ask in: --language python --input text --output label')
    expect(stdout).toContain('cd night_sky && origami serve model.py')
    expect(await readFile(join(folder, 'night_sky/model.py'), 'utf8')).toContain('title="Night sky"')
  })

  test('in a terminal it asks for what no flag says', async () => {
    const command = `stty cols 100 rows 40; ${process.execPath} ${main} init asked --input image`
    const child = spawn('script', ['-qec', command, '/dev/null'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] })
    let printed = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
    const answer = async (question: string, keys: string) => {
      await vi.waitFor(() => expect(printed).toContain(question))
      child.stdin.write(keys)
    }
    const closed = once(child, 'close')
    await answer('What is the model written in?', '\u001b[B\r')
    await answer('What comes out?', '\r')
    await answer('What is it called?', ' one\r')
    expect((await closed)[0]).toBe(0)
    expect(printed).not.toContain('What goes in?')
    expect(await readFile(join(folder, 'asked/model.ts'), 'utf8')).toContain('title: "Asked one"')
  })

  test('left in the middle it writes nothing', async () => {
    const command = `${process.execPath} ${main} init left`
    const child = spawn('script', ['-qec', command, '/dev/null'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] })
    const closed = once(child, 'close')
    await once(child.stdout, 'data')
    child.stdin.write('\u0003')
    expect((await closed)[0]).toBe(1)
    expect(await readdir(folder)).not.toContain('left')
  })

  test('names what is in the way, and writes nothing', async () => {
    await mkdir(join(folder, 'full/.git'), { recursive: true })
    await writeFile(join(folder, 'full/README.md'), 'mine')
    await writeFile(join(folder, 'full/model.py'), 'mine')
    const { exitCode, stderr } = await origami('init', 'full', '--json')
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining('README.md, model.py would be in the way; nothing was written'),
    ])
    expect((await readdir(join(folder, 'full'))).toSorted()).toEqual(['.git', 'README.md', 'model.py'])
    expect((await origami('init', 'full/model.py')).stderr).toContain('model.py is a file; expected a folder')
    expect((await origami('init', 'new', '--input', 'smell')).stderr).toContain(
      'Allowed choices are text, number, image, file',
    )
  })

  test('writes into a clone of an empty repository', async () => {
    await mkdir(join(folder, 'clone/.git'), { recursive: true })
    expect(JSON.parse((await origami('init', 'clone', '--json', '--language', 'typescript')).stdout).files).toEqual([
      'model.ts',
      'package.json',
      'README.md',
      '.gitignore',
    ])
  })
})
