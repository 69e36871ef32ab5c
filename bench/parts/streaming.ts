import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { makeLoad, type Target } from '../load/load.ts'
import { atLeast, atMost, type Row } from '../measured.ts'
import type { Demo, OurWorld } from '../servers/our-world.ts'
import { gradioQueue } from '../servers/peers.ts'
import { PredictionsTable } from '../servers/predictions-table.ts'
import { writesOf } from '../servers/server.ts'
import type { Part, PartOptions } from './part.ts'
import { round } from './throughput.ts'

const part = 'streaming'
/** How many chunks each prediction of `models/stream` and of `gradio_app.py` puts out. */
const chunks = 200
const readerCounts = [1, 32] as const
/** What the reader that reads nothing is sent in each chunk: in all more than any buffer on the way takes. */
const unreadChunkBytes = 50_000
/** How long a prediction may take whose reader reads nothing, before it counts as held back. */
const unreadPatienceMs = 30_000

export const streamingPart: Part = {
  name: part,
  about: `chunks a second of a generator that yields ${chunks}, to readers that have a prediction each, against Gradio; and beside a reader that reads nothing`,
  async open(options, opened) {
    const world = await options.world(opened)
    const demo = await world.deploy('bench/models/stream', 'stream')
    return async () => {
      const theirs = await gradio(options)
      const ours = await measured(ourSystem, ourTarget(demo), options)
      return {
        rows: [
          ...readerCounts.map((readers, index) => againstGradio(readers, ours[index], theirs[index])),
          await writesRow(world, demo, options),
          await unreadRow(world, demo, options),
        ],
      }
    }
  },
}

const ourSystem = 'Origami, the whole way'
const ourTarget = ({ url }: Demo): Target => ({
  kind: 'json',
  url: `${url}/predictions`,
  body: '{"input":{"text":"x"}}',
  expects: 'succeeded',
  headers: 'accept: text/event-stream\r\n',
})

const againstGradio = (readers: number, ours = Number.NaN, theirs = Number.NaN): Row => ({
  part,
  what: `chunks, ${readers} ${readers === 1 ? 'reader' : 'readers'}`,
  unit: '/s',
  ours,
  peer: { name: 'a Gradio generator', value: theirs },
  goal: atLeast(10),
})

async function gradio(options: PartOptions): Promise<number[]> {
  const peer = gradioQueue(1, 'stream')
  await using server = await peer.start()
  return await measured(peer.name, peer.target(server.url), options)
}

async function measured(system: string, target: Target, options: PartOptions): Promise<number[]> {
  await chunksPerSecond(system, target, 1, 1)
  const found: number[] = []
  for (const readers of readerCounts) {
    const perSecond = await chunksPerSecond(system, target, readers, readers === 1 && !options.isQuick ? 5 : 1)
    found.push(perSecond)
    options.say(`  ${system}, ${readers} readers: ${round(perSecond)} chunks/s`)
  }
  return found
}

/** Each of so many readers has so many predictions, one after the other. */
async function chunksPerSecond(system: string, target: Target, readers: number, times: number): Promise<number> {
  const load = { target, clients: readers, warmupMs: 0, measureMs: 0, times }
  const { perSecond, failed, failure } = await makeLoad(load)
  if (failed > 0) throw new Error(`${system}: ${failed} failed: ${failure}`)
  return perSecond * chunks
}

/** Chunks that share one write make fewer writes than there are chunks. */
async function writesRow(world: OurWorld, demo: Demo, { say }: PartOptions): Promise<Row> {
  const [readers] = readerCounts.slice(-1)
  const before = await world.sum(writesOf)
  await chunksPerSecond(ourSystem, ourTarget(demo), readers ?? 1, 1)
  const after = await world.sum(writesOf)
  const each = (hop: 'web' | 'daemon' | 'runtime') => (after[hop] - before[hop]) / ((readers ?? 1) * chunks)
  say(`  writes a chunk: web ${round(each('web'))}, daemon ${round(each('daemon'))}, runtime ${round(each('runtime'))}`)
  const what = `writes of the web server, ${readers} readers`
  return { part, what, unit: 'a chunk', ours: each('web'), goal: atMost(0.5) }
}

/**
 * A prediction whose reader has stopped to read ends all the same, and others of the same demo get theirs while its
 * stream stays open.
 */
async function unreadRow({ world }: OurWorld, demo: Demo, { say, isQuick }: PartOptions): Promise<Row> {
  const readers = 31
  const times = isQuick ? 1 : 3
  const alone = await chunksPerSecond(ourSystem, ourTarget(demo), readers, times)
  const unread = await startUnread(demo)
  try {
    const hasEnded = await endsWithin(world.folder, unreadPatienceMs)
    const beside = hasEnded ? await chunksPerSecond(ourSystem, ourTarget(demo), readers, times) : 0
    say(`  ${readers} readers: ${round(alone)} chunks/s alone, ${round(beside)} beside one that reads nothing`)
    return {
      part,
      what: `chunks, ${readers} readers beside one that reads nothing`,
      unit: '/s',
      ours: beside,
      peer: { name: 'without it', value: alone },
      goal: atLeast(1 / 1.1),
    }
  } finally {
    unread.destroy()
  }
}

/** Whether no prediction waits or runs after some time at most. */
async function endsWithin(folder: string, patienceMs: number): Promise<boolean> {
  using table = new PredictionsTable(folder)
  const until = performance.now() + patienceMs
  while (table.open() > 0) {
    if (performance.now() > until) return false
    await setTimeout(20)
  }
  return true
}

/** A prediction that has begun to stream, and whose stream is not read. */
async function startUnread({ url }: Demo): Promise<IncomingMessage> {
  const headers = { 'content-type': 'application/json', accept: 'text/event-stream' }
  const asked = request(`${url}/predictions`, { method: 'POST', headers, agent: false })
  asked.end(JSON.stringify({ input: { text: 'x'.repeat(unreadChunkBytes) } }))
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  await once(response, 'readable')
  response.on('error', () => undefined)
  return response
}
