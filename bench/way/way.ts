import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { Agent, request } from 'undici'
import type { Person } from '../../tests/person.ts'
import { World } from '../../tests/world.ts'

/** The processes that a prediction passes on its way. Its worker is counted with none of them. */
export const hops = ['web', 'daemon', 'runtime'] as const
export type Hop = (typeof hops)[number]

/** What one process did since its start, or for one prediction on average. */
export interface Counts {
  /** HTTP requests that it answered, and those that it made by undici. */
  readonly requests: number
  readonly calls: number
  /** Connections that it accepted; each is a handshake of TLS where there is one. */
  readonly connections: number
  readonly prepares: number
  readonly statements: number
  readonly commits: number
  readonly parses: number
  readonly parsedBytes: number
  readonly stringifies: number
  readonly stringifiedBytes: number
  readonly cpuMs: number
  readonly rssBytes: number
}

const root = join(import.meta.dirname, '../..')
const counters = join(import.meta.dirname, 'count-server.mjs')
const runtimeCounters = pathToFileURL(join(import.meta.dirname, 'counters.mjs')).href

/** Every limit that would hold up a load from one address is out of its way. */
const settings = `limits:
  requests: 100000000
  visitors: 1000000
  waiting: 100000
  waiting_per_visitor: 100000
  waiting_per_address: 100000
  running: 64
  running_per_demo: 1
`

/** A demo, and all that a prediction of it passes, each a process of its own that counts what it does. */
export class Way implements AsyncDisposable {
  readonly world: World
  readonly address: string
  private readonly stack: AsyncDisposableStack
  private readonly agent = new Agent({ connections: 64 })

  private constructor(world: World, address: string, stack: AsyncDisposableStack) {
    this.world = world
    this.address = address
    this.stack = stack
  }

  static async open(): Promise<Way> {
    await using opened = new AsyncDisposableStack()
    const world = opened.use(await World.start({ engine: 'process', settings }))
    const ann = await world.person('ann')
    const address = await deploy(ann, await world.push('tests/demos/gated', 'ann'))
    await startCounted(world, ann, opened)
    return new Way(world, address, opened.move())
  }

  /** What each process does for one prediction: the average of so many, of which `clients` are made at a time. */
  async count(clients: number, predictions: number): Promise<Record<Hop, Counts>> {
    // What is made once (connections, compiled schemas, prepared statements) is there before.
    await this.load(clients, 4 * clients)
    const before = await this.counts()
    await this.load(clients, predictions)
    const after = await this.counts()
    return eachHop((hop) => difference(after[hop], before[hop], predictions))
  }

  /** Makes so many predictions, each client one after the other, and waits until all have ended. */
  async load(clients: number, predictions: number): Promise<void> {
    let left = predictions
    const work = async () => {
      for (; left > 0; ) {
        left -= 1
        await this.predict()
      }
    }
    await Promise.all(Array.from({ length: clients }, work))
  }

  private async predict(): Promise<void> {
    const { statusCode, body } = await request(`${this.world.url}${this.address}/predictions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"input":{"word":"x"}}',
      dispatcher: this.agent,
    })
    const answer = await body.text()
    if (statusCode !== 200 || !answer.includes('"succeeded"')) throw new Error(`${statusCode} ${answer}`)
  }

  private async counts(): Promise<Record<Hop, Counts>> {
    const read = async (hop: Hop): Promise<Counts> => JSON.parse(await text(connect(socketOf(this.world, hop))))
    const [web, daemon, runtime] = [await read('web'), await read('daemon'), await read('runtime')]
    return { web, daemon, runtime }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent.destroy()
    await this.stack.disposeAsync()
  }
}

async function deploy(owner: Person, link: string): Promise<string> {
  const { address } = await owner.call('POST /-/api/demos', { body: { link } })
  await until('the demo runs', async () => (await owner.page(address)).state === 'running')
  return address
}

async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; !(await isSo()); tries += 1) {
    if (tries > 300) throw new Error(`expected that ${what} within 30 s`)
    await setTimeout(100)
  }
}

/** Ends the web server, the daemon and the instance of a world, and starts each again as one that counts. */
async function startCounted(world: World, owner: Person, opened: AsyncDisposableStack): Promise<void> {
  const place = { params: { account: 'ann', name: 'gated' } }
  await owner.call('POST /-/api/demos/:account/:name/stop', place)
  await countInBundles(world)
  await world.stopWeb()
  await world.stopDaemon()
  const forges = ['--forges', join(world.folder, 'forges.json')]
  const [daemonPort, webPort] = [new URL(world.daemonUrl).port, new URL(world.url).port]
  const daemon = ['daemon', '--data', world.folder, '--daemon-port', daemonPort, '--engine', 'process', ...forges]
  const web = ['web', '--data', world.folder, '--port', webPort, '--daemon', world.daemonUrl, ...forges]
  opened.defer(await startServer(world, 'daemon', daemon, 'listens at'))
  opened.defer(await startServer(world, 'web', web, 'Origami is at'))
  await owner.call('POST /-/api/demos/:account/:name/start', place)
  await until('the demo was started again', () => existsSync(socketOf(world, 'runtime')))
}

/** The runtime in each built bundle counts too. */
async function countInBundles(world: World): Promise<void> {
  const images = join(world.folder, 'daemon/engine/images')
  for (const name of await readdir(images)) {
    const server = join(images, name, 'origami/server.mjs')
    const [before, socket] = [await readFile(server, 'utf8'), JSON.stringify(socketOf(world, 'runtime'))]
    await writeFile(server, `import { open } from '${runtimeCounters}'\nopen(${socket})\n${before}`)
  }
}

/** Returns what ends it. */
async function startServer(world: World, hop: Hop, args: readonly string[], listens: string) {
  const node = ['--import', counters, '--import', './scripts/node24.mjs', 'packages/cli/src/main.ts', ...args]
  const env = { ...process.env, ORIGAMI_COUNTS: socketOf(world, hop) }
  const child = spawn(process.execPath, node, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface(child.stdout))
    if (line.includes(listens)) {
      child.stdout.resume()
      return () => end(child)
    }
  throw new Error(`the ${hop} ended before it listened`)
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGINT')
  await exited
}

const socketOf = (world: World, hop: Hop): string => join(world.folder, `${hop}.sock`)

const eachHop = <Value>(value: (hop: Hop) => Value): Record<Hop, Value> => ({
  web: value('web'),
  daemon: value('daemon'),
  runtime: value('runtime'),
})

function difference(after: Counts, before: Counts, predictions: number): Counts {
  const names = Object.keys(after) as (keyof Counts)[]
  const each = names.map((name) => [name, (after[name] - before[name]) / predictions] as const)
  return { ...after, ...Object.fromEntries(each), rssBytes: after.rssBytes }
}
