import { execa } from 'execa'
import { atMost, spread } from '../measured.ts'
import { startServe, startUp } from '../servers/our-command.ts'
import { gradioQueue } from '../servers/peers.ts'
import type { Part } from './part.ts'
import { round } from './throughput.ts'

const part = 'start'

export const startPart: Part = {
  name: part,
  about: 'how long `origami up` and `origami serve` take to start, against an empty Node program and Gradio',
  async open({ say }) {
    return async () => {
      const [node, up, serve, gradio] = [await nodeMs(), await upMs(), await serveMs(), await gradioMs()]
      say(`  node ${round(node)}, up ${round(up)}, serve ${round(serve)}, Gradio ${round(gradio)} ms`)
      const row = (what: string, ours: number, name: string, value: number, most: number) => ({
        part,
        what,
        unit: 'ms',
        ours,
        peer: { name, value },
        goal: atMost(most),
      })
      return {
        rows: [
          row('`origami up` listens', up, '`node -e 0`', node, 20),
          row('`origami serve` is ready', serve, "Gradio's app.py", gradio, 0.25),
        ],
      }
    }
  },
}

/** The median of some, since one is over so soon. */
async function nodeMs(): Promise<number> {
  const times: number[] = []
  while (times.length < 5) {
    const begun = performance.now()
    await execa(process.execPath, ['-e', '0'])
    times.push(performance.now() - begun)
  }
  return spread(times).median
}

async function upMs(): Promise<number> {
  await using up = await startUp()
  return up.server.startMs
}

async function serveMs(): Promise<number> {
  await using server = await startServe('bench/models/echo/model.py')
  return server.startMs
}

async function gradioMs(): Promise<number> {
  await using server = await gradioQueue(1).start()
  return server.startMs
}
