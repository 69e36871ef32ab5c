import { join } from 'node:path'
import { freePort } from '../../tests/free-port.ts'
import { Server, type ServerOptions } from './server.ts'
import { temporaryFolder } from './temporary-folder.ts'

const root = join(import.meta.dirname, '../..')
const origami = [process.execPath, 'scripts/origami.mjs']
/** How long `npm start` may take to build, and to bundle and deploy its examples. */
const quickstartMs = 600_000

/** The command `origami`, with a state folder of its own. */
export interface Command extends AsyncDisposable {
  readonly server: Server
}

/** `origami up`, with both servers in one process. */
export const startUp = (): Promise<Command> => start([...origami, 'up'], ['--engine', 'process', '--trust-demos'])

/** What `npm start` runs, once its examples are deployed. */
export const startQuickstart = (): Promise<Command> =>
  start([process.execPath, '--max-semi-space-size=8', 'scripts/origami.mjs', 'quickstart'], [], {
    readyLine: 'The gallery:',
    patienceMs: quickstartMs,
  })

/** `origami serve`, once the model is ready. */
export async function startServe(model: string): Promise<Server> {
  const port = await freePort()
  const program = [...origami, 'serve', model, '--port', `${port}`]
  return Server.start(`http://127.0.0.1:${port}`, program, {
    cwd: root,
    readyPath: '/health-check',
    readyWord: '"READY"',
  })
}

async function start(program: readonly string[], flags: readonly string[], options: ServerOptions = {}) {
  await using opened = new AsyncDisposableStack()
  const data = opened.use(await temporaryFolder())
  const [port, daemonPort] = [await freePort(), await freePort()]
  const at = ['--data', data.path, '--port', `${port}`, '--daemon-port', `${daemonPort}`]
  const server = await Server.start(`http://127.0.0.1:${port}`, [...program, ...at, ...flags], {
    ...options,
    cwd: root,
  })
  opened.use(server)
  // Demos are no part of its process group, and would go on running.
  opened.defer(() => server.interrupt())
  const closing = opened.move()
  return {
    server,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}
