import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { Agent, request } from 'undici'
import { placeOf } from '../../tests/person.ts'
import { type Hop as AnyHop, type Demo, OurWorld } from '../servers/our-world.ts'

/** The processes that count what they do. */
export const hops = ['web', 'daemon', 'runtime'] as const
export type Hop = (typeof hops)[number]

/** What one process did since its start, or for one prediction on average, as `counters.mjs` counts it. */
export type Counts = Record<
  | 'requests'
  | 'connections'
  | 'calls'
  | 'handshakes'
  | 'prepares'
  | 'statements'
  | 'commits'
  | 'fsyncs'
  | 'parses'
  | 'parsedBytes'
  | 'stringifies'
  | 'stringifiedBytes'
  | 'copiedBytes'
  | 'reads'
  | 'readBytes'
  | 'writes'
  | 'writtenBytes',
  number
>

const counters = join(import.meta.dirname, 'count-server.mjs')
const runtimeCounters = pathToFileURL(join(import.meta.dirname, 'counters.mjs')).href
const teller = pathToFileURL(join(import.meta.dirname, '../servers/tell.mjs')).href

/** The model that is counted, in this repository, and what it is given. */
const model = { folder: 'tests/demos/gated', input: { word: 'x' } }

/** What predictions cost: of each process that counts, and the CPU time of each, in milliseconds. */
export interface Cost {
  readonly counts: Record<Hop, Counts>
  readonly cpuMs: Record<AnyHop, number>
}

/** A demo, and all that a prediction of it passes, each a process of its own that counts what it does. */
export class Way implements AsyncDisposable {
  readonly ours: OurWorld
  private readonly demo: Demo
  private readonly agent = new Agent({ connections: 64 })

  private constructor(ours: OurWorld, demo: Demo) {
    this.ours = ours
    this.demo = demo
  }

  static async open(): Promise<Way> {
    await using opened = new AsyncDisposableStack()
    const ours = opened.use(await OurWorld.start({ imports: [counters] }))
    const demo = await ours.deploy(model.folder, 'counted')
    const place = { params: placeOf(demo.address) }
    await ours.owner.call('POST /-/api/demos/:account/:name/stop', place)
    await countInBundles(ours.world.folder)
    await ours.owner.call('POST /-/api/demos/:account/:name/start', place)
    await until('the demo was started again', () => existsSync(join(ours.world.folder, 'runtime.sock')))
    opened.move()
    return new Way(ours, demo)
  }

  /** What each process does for one prediction: the average of so many, of which `clients` are made at a time. */
  async count(clients: number, predictions: number): Promise<Cost> {
    // What is made once (connections, compiled schemas, prepared statements) is there before.
    await this.load(clients, 4 * clients)
    const [before, cpuBefore] = [await this.counts(), await this.ours.cpuMs()]
    await this.load(clients, predictions)
    const [after, cpuAfter] = [await this.counts(), await this.ours.cpuMs()]
    return {
      counts: eachHop((hop) => difference(after[hop], before[hop], predictions)),
      cpuMs: difference(cpuAfter, cpuBefore, predictions),
    }
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
    const { statusCode, body } = await request(`${this.demo.url}/predictions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ input: model.input }),
      dispatcher: this.agent,
    })
    const answer = await body.text()
    if (statusCode !== 200 || !answer.includes('"succeeded"')) throw new Error(`${statusCode} ${answer}`)
  }

  /** What each did since its start. */
  async counts(): Promise<Record<Hop, Counts>> {
    const read = (hop: Hop) => this.ours.told<Counts>(hop)
    const [web, daemon, runtime] = [await read('web'), await read('daemon'), await read('runtime')]
    return { web, daemon, runtime }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent.destroy()
    await this.ours[Symbol.asyncDispose]()
  }
}

async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; !(await isSo()); tries += 1) {
    if (tries > 300) throw new Error(`expected that ${what} within 30 s`)
    await setTimeout(100)
  }
}

/** The runtime in each built bundle counts too. */
async function countInBundles(folder: string): Promise<void> {
  const images = join(folder, 'daemon/engine/images')
  for (const name of await readdir(images)) {
    const server = join(images, name, 'origami/server.mjs')
    const [before, socket] = [await readFile(server, 'utf8'), JSON.stringify(join(folder, 'runtime.sock'))]
    const imports = `import { counted } from '${runtimeCounters}'\nimport { tellAt } from '${teller}'\n`
    await writeFile(server, `${imports}tellAt(${socket}, counted)\n${before}`)
  }
}

const eachHop = <Value>(value: (hop: Hop) => Value): Record<Hop, Value> => ({
  web: value('web'),
  daemon: value('daemon'),
  runtime: value('runtime'),
})

/** What was done between two times, for one of so many predictions. */
function difference<Amounts extends Record<string, number>>(after: Amounts, before: Amounts, of: number): Amounts {
  const each = Object.entries(after).map(([name, amount]) => [name, (amount - (before[name] ?? 0)) / of] as const)
  return { ...after, ...Object.fromEntries(each) }
}
