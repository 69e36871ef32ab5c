import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

const script = join(import.meta.dirname, '../../src/engine/process/shim.sh')
const { PATH } = process.env

let home: string
let folder: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'origami-shim-'))
  folder = join(home, 'instance')
  await mkdir(folder)
})
afterEach(() => rm(home, { recursive: true }))

interface Shell {
  readonly shell?: string
  readonly path?: string | undefined
}

function start(code: string, logBytes = 8000, { shell = 'sh', path = PATH }: Shell = {}) {
  const program = [process.execPath, '--input-type=module', '-e', code]
  const args = [script, 'nonce', folder, String(logBytes), home, ...program]
  return spawn(shell, args, { cwd: folder, detached: true, stdio: 'ignore', env: { PATH: path, WORD: 'word' } })
}

async function run(...how: Parameters<typeof start>): Promise<void> {
  await once(start(...how), 'exit')
}

const exit = async () => JSON.parse(await readFile(join(folder, 'exit.json'), 'utf8'))

/** What is kept of the output, and the offset of its first byte. */
async function kept(): Promise<{ start: number; text: string }> {
  const names = (await readdir(folder)).filter((name) => name.startsWith('output-')).toSorted()
  const start = Number(names[0]?.slice('output-'.length))
  let text = ''
  for (const name of names) {
    expect(Number(name.slice('output-'.length))).toBe(start + text.length)
    text += await readFile(join(folder, name), 'utf8')
  }
  return { start, text }
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => `line ${index}\n`).join('')

// The second one stands for systems whose sh is bash.
describe.each(['sh', 'bash'])('in %s', (shell) => {
  test('the program runs in its folder, with its environment and no input', async () => {
    const code = `import { readFileSync } from 'node:fs'
      console.log(process.cwd(), process.env.WORD, readFileSync(0, 'utf8').length)`
    await run(code, 8000, { shell })
    expect((await kept()).text).toBe(`${home} word 0\n`)
    expect(await exit()).toMatchObject({ code: 0, at: expect.stringMatching(/Z$/) })
  })

  test('the newest of the output is kept, and no more than the limit', async () => {
    await run(`for (let n = 0; n < 2000; n += 1) console.log('line ' + n)`, 8000, { shell })
    const { start, text } = await kept()
    expect(text.length).toBeGreaterThan(8000 - 2000)
    expect(text.length).toBeLessThanOrEqual(8000)
    expect(text).toBe(numbers(2000).slice(start))
  })

  test.each([
    ['it gave', 'process.exitCode = 3', 3],
    ['127, which shells use themselves', 'process.exitCode = 127', 127],
    ['of a kill', `process.kill(process.pid, 'SIGKILL')`, 137],
  ])('the code is the one %s', async (_what, code, expected) => {
    await run(code, 8000, { shell })
    expect((await exit()).code).toBe(expected)
  })

  test('a signal to all of them is for the program to act on, and what it prints then is kept', async () => {
    const last = `process.once('SIGTERM', () => { console.log('leaving'); process.exit(5) })`
    const shim = start(`${last}; console.log('ready'); setInterval(() => {}, 1000)`, 8000, { shell })
    const ended = once(shim, 'exit')
    await vi.waitFor(async () => expect((await kept()).text).toBe('ready\n'))
    process.kill(-(shim.pid as number), 'SIGTERM')
    await ended
    expect((await kept()).text).toBe('ready\nleaving\n')
    expect((await exit()).code).toBe(5)
  })
})

test('where dd counts no bytes, the newest of the output is kept too', async () => {
  const bin = join(home, 'bin')
  await mkdir(bin)
  const found = PATH?.split(':').find((place) => existsSync(join(place, 'dd')))
  await writeFile(join(bin, 'dd'), `#!/bin/sh\ncase "$*" in *count_bytes*) exit 1 ;; esac\nexec ${found}/dd "$@"\n`)
  await chmod(join(bin, 'dd'), 0o755)
  const write = `import { writeSync } from 'node:fs'
    for (let n = 0; n < 2000; n += 1) writeSync(1, 'line ' + n + '\\n')`
  await run(write, 8000, { path: `${bin}:${PATH}` })
  const { start, text } = await kept()
  expect(text).toBe(numbers(2000).slice(start))
  expect(text.length).toBeLessThanOrEqual(8000 + 2 * 64 * 1024)
})

test('a PATH without the tools of the shim is the PATH of the program, and the shim works', async () => {
  await run('console.log(process.env.PATH)', 8000, { shell: '/bin/sh', path: '/nowhere' })
  expect((await kept()).text).toBe('/nowhere\n')
  expect(await exit()).toMatchObject({ code: 0 })
})

test('a program that cannot be started says so in its output', async () => {
  const args = [script, 'nonce', folder, '8000', home, join(home, 'no-such-program')]
  await once(spawn('sh', args, { cwd: folder, stdio: 'ignore', env: { PATH } }), 'exit')
  expect((await kept()).text).toMatch(/no-such-program: not found/)
  expect((await exit()).code).toBe(127)
})
