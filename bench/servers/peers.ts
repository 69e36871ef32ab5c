import { join } from 'node:path'
import { freePort } from '../../tests/free-port.ts'
import type { Target } from '../load/load.ts'
import { Server, type ServerOptions } from './server.ts'

const root = join(import.meta.dirname, '../..')
const programs = join(import.meta.dirname, 'peers')
/** Where the bench keeps what git ignores. */
export const cache = join(root, '.cache/bench')
/** Where `npm run bench -- install` puts the peers. */
export const venv = join(cache, 'venv')
const python = join(venv, 'bin/python')

/** Something to compare with: how it is started, and how one text is sent to it and comes back. */
export interface Peer {
  readonly name: string
  start(): Promise<Server>
  target(url: string): Target
}

const start = async (command: (port: number) => string[], readyPath = '/', more: ServerOptions = {}) => {
  const port = await freePort()
  // Outside of the repository: a server that watches or imports from its folder finds nothing of ours.
  return Server.start(`http://127.0.0.1:${port}`, command(port), {
    ...more,
    env: { ...more.env, PORT: String(port) },
    readyPath,
    cwd: programs,
  })
}
const node = (program: string) => (port: number) => [process.execPath, join(programs, program), String(port)]
const script = (program: string, ...args: string[]) => {
  const [kind, ...rest] = args
  const first = kind === undefined ? [] : [kind]
  return (port: number) => [python, join(programs, program), ...first, String(port), ...rest]
}
export const predictions = (url: string): Target => ({
  kind: 'json',
  url: `${url}/predictions`,
  body: '{"input":{"text":"x"}}',
  expects: '"output":"x"',
})

/** `node:http`, which reads JSON and writes it: what no server of ours can be faster than. */
export const bare: Peer = { name: 'bare node:http', start: () => start(node('bare.mjs')), target: predictions }
/** The same bytes for whatever comes: how much load the generator can make. */
export const canned: Peer = { name: 'canned bytes', start: () => start(node('canned.mjs')), target: predictions }
export const fastapi: Peer = { name: 'FastAPI', start: () => start(script('fastapi_app.py')), target: predictions }
export const litserve: Peer = {
  name: 'LitServe',
  start: () => start(script('litserve_app.py'), '/health'),
  target: predictions,
}
export const cog: Peer = {
  name: 'Cog',
  start: () =>
    start(() => [python, '-m', 'cog.server.http', '--host', '127.0.0.1'], '/health-check', {
      // Its worker is the first `python` on the path.
      env: { COG_PREDICT_TYPE_STUB: 'cog_model.py:Predictor', PATH: `${join(venv, 'bin')}:${process.env.PATH}` },
      readyWord: '"READY"',
    }),
  target: predictions,
}
const gradio = (kind: 'echo' | 'stream', concurrency: number) => () =>
  start(script('gradio_app.py', kind, String(concurrency)), '/config', { env: { GRADIO_ANALYTICS_ENABLED: 'False' } })
export const gradioDirect: Peer = {
  name: 'Gradio, direct',
  start: gradio('echo', 1),
  target: (url) => ({
    kind: 'json',
    url: `${url}/gradio_api/run/predict`,
    body: '{"data":["x"]}',
    expects: '"data":["x"]',
  }),
}
/** `concurrency`: its `default_concurrency_limit`. */
export const gradioQueue = (concurrency: number, kind: 'echo' | 'stream' = 'echo'): Peer => ({
  name: `Gradio, queued, concurrency ${concurrency}`,
  start: gradio(kind, concurrency),
  target: (url) => ({ kind: 'gradio-queue', url }),
})
