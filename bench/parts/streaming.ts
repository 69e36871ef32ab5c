import { makeLoad, type Target } from '../load/load.ts'
import { atLeast, type Row } from '../measured.ts'
import { OurWorld } from '../servers/our-world.ts'
import { gradioQueue } from '../servers/peers.ts'
import type { Part, PartOptions } from './part.ts'
import { round } from './throughput.ts'

const part = 'streaming'
/** How many chunks each prediction of `models/stream` and of `gradio_app.py` puts out. */
const chunks = 200
const readerCounts = [1, 32] as const

export const streamingPart: Part = {
  name: part,
  about: `chunks a second of a generator that yields ${chunks}, to readers that have a prediction each, against Gradio`,
  async measure(options) {
    const theirs = await gradio(options)
    const ours = await origami(options)
    return {
      rows: readerCounts.map(
        (readers, index): Row => ({
          part,
          what: `chunks, ${readers} ${readers === 1 ? 'reader' : 'readers'}`,
          unit: '/s',
          ours: ours[index] ?? Number.NaN,
          peer: { name: 'a Gradio generator', value: theirs[index] ?? Number.NaN },
          goal: atLeast(10),
        }),
      ),
    }
  },
}

async function gradio(options: PartOptions): Promise<number[]> {
  const peer = gradioQueue(1, 'stream')
  await using server = await peer.start()
  return await chunksPerSecond(peer.name, peer.target(server.url), options)
}

async function origami(options: PartOptions): Promise<number[]> {
  await using world = await OurWorld.start()
  const demo = await world.deploy('bench/models/stream', 'stream')
  return await chunksPerSecond(
    'Origami, the whole way',
    {
      kind: 'json',
      url: `${demo.url}/predictions`,
      body: '{"input":{"text":"x"}}',
      expects: 'succeeded',
      headers: 'accept: text/event-stream\r\n',
    },
    options,
  )
}

async function chunksPerSecond(system: string, target: Target, { isQuick, say }: PartOptions): Promise<number[]> {
  await makeLoad({ target, clients: 1, warmupMs: 0, measureMs: 0, times: 1 })
  const found: number[] = []
  for (const clients of readerCounts) {
    const times = clients === 1 && !isQuick ? 5 : 1
    const { perSecond, failed, failure } = await makeLoad({ target, clients, warmupMs: 0, measureMs: 0, times })
    if (failed > 0) throw new Error(`${system}: ${failed} failed: ${failure}`)
    found.push(perSecond * chunks)
    say(`  ${system}, ${clients} readers: ${round(perSecond * chunks)} chunks/s`)
  }
  return found
}
