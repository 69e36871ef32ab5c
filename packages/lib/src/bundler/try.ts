import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { type DemoSchema, newPredictionId } from '@origami/protocol/demo'
import { HttpPredictor } from '@origami/serving'

/** Starts what was bundled, as it will be started, and runs its first example; passes on what it prints. Returns its schema. Throws Error with the model's own words. */
export async function runFirstExample(
  folder: string,
  python: string | undefined,
  onLog: (line: string) => void,
  signal: AbortSignal,
  readyWithinMs = 5 * 60_000,
): Promise<DemoSchema> {
  const scratch = await mkdtemp(join(tmpdir(), 'origami-try-'))
  const portFile = join(scratch, 'port')
  const env = {
    ...process.env,
    PORT: '0',
    ORIGAMI_HOST: '127.0.0.1',
    ORIGAMI_PORT_FILE: portFile,
    ORIGAMI_FILES: join(scratch, 'files'),
    ...(python === undefined ? {} : { ORIGAMI_PYTHON: python }),
  }
  const server = spawn(process.execPath, [join(folder, 'origami/server.mjs')], {
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let printed = ''
  const lines = createInterface({ input: server.stderr }).on('line', (line) => {
    printed = `${printed}${line}\n`.slice(-4000)
    onLog(line)
  })
  const died = new AbortController()
  server.once('close', (code, by) => died.abort(new Error(`the runtime exited (${by ?? code}):\n${printed}`)))
  const deadline = AbortSignal.timeout(readyWithinMs)
  let late = 'it was not ready'
  try {
    const within = AbortSignal.any([signal, deadline, died.signal])
    const predictor = await ready(portFile, within)
    late = 'its first example did not end'
    return await answerOf(predictor, onLog, within)
  } catch (error) {
    if (died.signal.aborted) throw died.signal.reason
    if (deadline.aborted) throw new Error(`${late} within ${readyWithinMs / 60_000} min; it printed last:\n${printed}`)
    throw error
  } finally {
    lines.close()
    server.stderr.resume()
    server.kill('SIGTERM')
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
    await rm(scratch, { recursive: true, force: true })
  }
}

async function answerOf(predictor: HttpPredictor, onLog: (line: string) => void, within: AbortSignal): Promise<DemoSchema> {
  const schema = await predictor.schema()
  const [example] = schema.examples
  if (!example) {
    onLog('the model loads; it has no example to run')
    return schema
  }
  onLog(`running the first example: ${JSON.stringify(example).slice(0, 200)}`)
  const prediction = await predictor.submit({ id: newPredictionId(), input: example })
  for await (const event of prediction.events(0, within)) if (event.type === 'completed') break
  const end = await prediction.snapshot()
  if (end.status !== 'succeeded') throw new Error(`the first example ${end.status}: ${end.error}\n${end.logs}`)
  onLog(`it answers: ${JSON.stringify(end.output).slice(0, 200)}`)
  return schema
}

async function ready(portFile: string, signal: AbortSignal): Promise<HttpPredictor> {
  for (;;) {
    const port = await readFile(portFile, 'utf8').catch(() => undefined)
    const predictor = port ? new HttpPredictor({ base: `http://127.0.0.1:${port}` }) : undefined
    const health = await predictor?.health()
    if (predictor && (health?.status === 'READY' || health?.status === 'BUSY')) return predictor
    if (health?.status === 'SETUP_FAILED') throw new Error(`the model's setup failed:\n${health.setup?.logs}`)
    await setTimeout(100, undefined, { signal })
  }
}
