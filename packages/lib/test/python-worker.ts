import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Duplex } from 'node:stream'
import { execa } from 'execa'
import { expect, vi } from 'vitest'
import { encodeFrame, readFrames } from '../src/runtime/wire/frames.ts'

const python = join(import.meta.dirname, '../python')

/** What a Python worker sent, or `undefined` for what it did not. */
interface Frame {
  readonly type: string
  readonly id?: string
  readonly [key: string]: unknown
}

export interface PythonWorker extends AsyncDisposable {
  readonly folder: string
  readonly pid: number
  readonly frames: readonly Frame[]
  /** Everything that it printed on stdout and stderr. */
  readonly printed: () => string
  /** Resolves with the exit code, or the signal. */
  readonly exited: Promise<number | NodeJS.Signals | null>
  send(message: unknown): void
  sendBytes(bytes: Uint8Array): void
  /** Runs a prediction with an outbox in its own folder. */
  predict(id: string, input?: Record<string, unknown>): void
  /** The first frame of that type (and id), once it is there. */
  frame(type: string, id?: string): Promise<Frame>
  /** How the prediction ended. */
  end(id: string): Promise<Frame>
  /** Closes the connection, as a runtime that goes away does. */
  hangUp(): void
}

/** A worker alone, spoken to in frames as the runtime does, with these files in its model's folder. */
export async function startPythonWorker(
  files: Readonly<Record<string, string>>,
  { model = 'model.py', env = {} as Record<string, string>, program = 'python3' } = {},
): Promise<PythonWorker> {
  const folder = await mkdtemp(join(tmpdir(), 'origami-worker-'))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  const child = spawn(program, ['-u', '-m', 'origami.worker', join(folder, model)], {
    env: { ...process.env, PYTHONPATH: python, PYTHONDONTWRITEBYTECODE: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
  })
  const [toWorker, fromWorker] = [child.stdio[3] as Duplex, child.stdio[4] as Duplex]
  const frames: Frame[] = []
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (printed += text))
  const exited = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code))
  })
  for (const pipe of [toWorker, fromWorker]) pipe.on('error', () => undefined)
  const reading = (async () => {
    for await (const frame of readFrames(fromWorker) as AsyncIterable<Frame>) frames.push(frame)
  })().catch(() => undefined)
  const sendBytes = (bytes: Uint8Array) => void toWorker.write(bytes)
  const find = (matches: (frame: Frame) => boolean) =>
    vi.waitFor(
      () => {
        const found = frames.find(matches)
        expect(found, `${JSON.stringify(frames)}\n${printed}`).toBeDefined()
        return found as Frame
      },
      { interval: 5 },
    )
  return {
    folder,
    pid: child.pid ?? 0,
    frames,
    printed: () => printed,
    exited,
    sendBytes,
    send: (message) => sendBytes(encodeFrame(message)),
    predict: (id, input = {}) => sendBytes(encodeFrame({ type: 'predict', id, input, outbox: folder })),
    frame: (type, id) => find((frame) => frame.type === type && (id === undefined || frame.id === id)),
    end: (id) => find((frame) => frame.id === id && ['done', 'failed', 'canceled'].includes(frame.type)),
    hangUp: () => {
      toWorker.destroy()
      fromWorker.destroy()
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
      await reading
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** What the Python package makes of each source: the demo's schema, or words why it is refused. */
export async function describePython(
  sources: readonly string[],
  program = 'python3',
): Promise<readonly { schema?: Described; refused?: string }[]> {
  const { stdout } = await execa(program, [join(import.meta.dirname, 'python/described.py')], {
    input: JSON.stringify(sources),
    env: { PYTHONPATH: python, PYTHONDONTWRITEBYTECODE: '1' },
  })
  return JSON.parse(stdout)
}

export interface Described {
  readonly streaming: boolean
  readonly inputs: readonly DescribedField[]
  readonly outputs: readonly DescribedField[]
}
interface DescribedField {
  readonly name: string
  readonly component: string
  readonly required: boolean
  readonly default?: unknown
}
