import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type BundledOptions, BundledRuntime } from '../../src/bundler/bundled-runtime.ts'
import { eventually } from '../pool.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-bundled-'))
  await mkdir(join(folder, 'origami'))
})
afterEach(() => rm(folder, { recursive: true }))

/** A program that takes the runtime's place. */
async function start(program: string, options: Partial<BundledOptions> = {}) {
  const lines: string[] = []
  await writeFile(join(folder, 'origami/server.mjs'), program)
  const runtime = await BundledRuntime.start({ folder, graceMs: 60_000, onLog: (line) => lines.push(line), ...options })
  return { runtime, lines }
}

/** Serves these answers to questions for its health, the last for ever. */
const healthy = (...answers: object[]) => `
  import { createServer } from 'node:http'
  import { writeFileSync } from 'node:fs'
  const answers = ${JSON.stringify(answers)}
  const server = createServer((_, answer) => {
    answer.setHeader('content-type', 'application/json')
    answer.end(JSON.stringify(answers.length > 1 ? answers.shift() : answers[0]))
  })
  const tell = () => writeFileSync(process.env.ORIGAMI_PORT_FILE, String(server.address().port))
  server.listen(0, process.env.ORIGAMI_HOST, tell)
`
const health = (status: string, logs = '') => ({
  status,
  setup: { started_at: '2026-11-30T00:00:00Z', completed_at: null, status: 'starting', logs },
  version: {},
})

describe('what was bundled', () => {
  test('is waited for until its model is ready, and leaves nothing', async () => {
    const program = `${healthy(health('STARTING'), health('BUSY'))}
      console.error(process.cwd())
      console.error(process.env.ORIGAMI_FILES)`
    const { runtime, lines } = await start(program)
    await runtime.ready(runtime.died)
    await eventually(() => expect(lines).toHaveLength(2))
    expect(lines[0]).toBe(folder)
    const scratch = join(lines[1] ?? '', '..')
    expect(existsSync(scratch)).toBe(true)
    await runtime[Symbol.asyncDispose]()
    expect([existsSync(scratch), runtime.died.aborted]).toEqual([false, true])
  })

  test('whose setup failed says why', async () => {
    const { runtime } = await start(healthy(health('SETUP_FAILED', 'no weights\n')))
    await using _ = runtime
    await expect(runtime.ready(runtime.died)).rejects.toThrow("the model's setup failed:\nno weights\n")
  })

  test('that exits says how, with the end of what it printed', async () => {
    const { runtime, lines } = await start(`
      console.error('x'.repeat(5000))
      console.error('out of memory')
      process.exitCode = 3`)
    await using _ = runtime
    await expect(runtime.ready(runtime.died)).rejects.toThrow(/^the runtime exited \(3\):\nx+\nout of memory\n$/)
    expect(runtime.printed).toHaveLength(4000)
    expect(lines.map(({ length }) => length)).toEqual([5000, 13])
  })

  test('that does not end when it is told to is killed, with the workers that it started', async () => {
    const { runtime, lines } = await start(
      `
      import { spawn } from 'node:child_process'
      import { writeFileSync } from 'node:fs'
      process.on('SIGTERM', () => undefined)
      const worker = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
      writeFileSync('worker', String(worker.pid))
      console.error('up')
      setInterval(() => undefined, 1000)`,
      { graceMs: 1 },
    )
    await eventually(() => expect(lines).toContain('up'))
    const worker = Number(await readFile(join(folder, 'worker'), 'utf8'))
    await runtime[Symbol.asyncDispose]()
    expect(lines).toContain('the runtime did not end within 0.001 s of SIGTERM and was killed')
    await eventually(async () =>
      expect(await readFile(`/proc/${worker}/stat`, 'utf8').catch(() => ') Z ')).toContain(') Z '),
    )
  })
})
