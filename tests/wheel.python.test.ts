import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { nodeWheel } from 'origami-lib/bundler'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { buildWheel } from '../scripts/wheel.ts'

const model = `def predict(review: str, temperature: float = 0.5) -> dict[str, float]:
    return {"warm": temperature, "cold": 1 - temperature}
`

describe('the Python package', () => {
  let folder: string
  let bin: string
  const running: ChildProcess[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'origami-pip-'))
    const wheel = await buildWheel(folder)
    await execa('python3', ['-m', 'venv', join(folder, 'venv')])
    bin = join(folder, 'venv/bin')
    await execa(join(bin, 'pip'), ['install', '-q', '--disable-pip-version-check', wheel])
    await mkdir(join(folder, 'work'))
    await writeFile(join(folder, 'work/model.py'), model)
  }, 180_000)

  afterAll(async () => {
    for (const child of running) {
      child.kill('SIGINT')
      if (child.exitCode === null) await once(child, 'exit')
    }
    await rm(folder, { recursive: true, force: true })
  })

  /** An environment without any Node but the one in the wheel. */
  const env = { PATH: '/usr/bin:/bin', HOME: tmpdir() }

  test('`origami serve model.py` of a bare function is a page and an API, in the Python it was installed in', async () => {
    const child = spawn(join(bin, 'origami'), ['serve', 'model.py', '--port', '0'], {
      cwd: join(folder, 'work'),
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    running.push(child)
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
    const url = line.replace('model.py is at ', '')
    expect(await (await fetch(url, { headers: { accept: 'text/html' } })).text()).toContain('<div id="page">')
    await vi.waitFor(async () =>
      expect(await (await fetch(`${url}/health-check`)).json()).toMatchObject({ status: 'READY' }),
    )
    const body = JSON.stringify({ input: { review: 'x', temperature: 0.25 } })
    const answer = await fetch(`${url}/predictions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    expect(await answer.json()).toMatchObject({ status: 'succeeded', output: { warm: 0.25, cold: 0.75 } })
  })

  test('`origami bundle` writes a bundle, and runs it', async () => {
    const { stdout, stderr } = await execa(join(bin, 'origami'), ['bundle'], {
      cwd: join(folder, 'work'),
      env,
      extendEnv: false,
    })
    expect(stderr).toContain('the model loads')
    expect(stdout).toContain('docker build')
    expect((await readdir(join(folder, 'work/origami'))).toSorted()).toEqual(
      expect.arrayContaining(['page', 'python', 'server.mjs']),
    )
  })

  test("brings the Node that bundles bring, and the author's verbs alone", async () => {
    const { stdout } = await execa(join(bin, 'pip'), ['freeze'])
    expect(stdout).toContain(nodeWheel)
    const help = await execa(join(bin, 'origami'), ['--help'], { env, extendEnv: false })
    const verbs = Array.from(help.stdout.matchAll(/^ {2}([a-z]+) \[/gm), ([, verb]) => verb)
    expect(verbs).toEqual([
      'init',
      'serve',
      'bundle',
      'login',
      'deploy',
      'status',
      'logs',
      'set',
      'stop',
      'start',
      'hide',
      'remove',
      'stats',
      'help',
    ])
  })
})
