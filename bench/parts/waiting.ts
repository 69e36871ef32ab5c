import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { atLeast, atMost, type Row } from '../measured.ts'
import { type Demo, OurWorld } from '../servers/our-world.ts'
import type { Part, PartOptions } from './part.ts'
import { round } from './throughput.ts'

const part = 'waiting'
const full = { crowd: 10_000, watched: 1000, joins: 200 }
const quick = { crowd: 300, watched: 50, joins: 50 }
const fewest = 10

export const waitingPart: Part = {
  name: part,
  about: `joining a demo for which ${fewest} or ${full.crowd} wait, and serving with 0 or ${full.watched} watching pages`,
  async measure(options) {
    await using world = await OurWorld.start()
    const demo = await world.deploy('bench/models/gated', 'gated')
    await using line = new Line(world, demo)
    return { rows: [...(await joining(line, options)), ...(await watching(line, options))] }
  },
}

async function joining(line: Line, { isQuick, say }: PartOptions): Promise<Row[]> {
  const { crowd, joins } = isQuick ? quick : full
  line.close()
  await line.join(fewest)
  const few = p99(await line.join(joins))
  const memory = await line.daemonBytes()
  await line.join(crowd - fewest - joins)
  const each = ((await line.daemonBytes()) - memory) / (crowd - fewest - joins)
  const many = p99(await line.join(joins))
  say(
    `  p99 of joining: ${round(few)} ms behind ${fewest}, ${round(many)} ms behind ${crowd}; ${round(each)} bytes each`,
  )
  await line.leave()
  return [
    {
      part,
      what: `p99 of joining behind ${crowd}`,
      unit: 'ms',
      ours: many,
      peer: { name: `behind ${fewest}`, value: few },
      goal: atMost(2),
    },
    { part, what: `the daemon's memory for each of ${crowd}`, unit: 'kB', ours: each / 1024, goal: atMost(4) },
  ]
}

async function watching(line: Line, { isQuick, say }: PartOptions): Promise<Row[]> {
  const { watched } = isQuick ? quick : full
  const [without, withAll] = [await line.servedPerSecond(watched, 0), await line.servedPerSecond(watched, watched)]
  say(`  served a second: ${round(without)} with nobody watching, ${round(withAll)} with ${watched}`)
  return [
    {
      part,
      what: `served a second, ${watched} watch`,
      unit: '/s',
      ours: withAll,
      peer: { name: 'nobody watches', value: without },
      goal: atLeast(1 / 1.1),
    },
  ]
}

/** The predictions that wait for a demo, which answers none until its gate is open. */
class Line implements AsyncDisposable {
  private readonly world: OurWorld
  private readonly demo: Demo
  private readonly agent = new Agent({ connections: 16 })
  private readonly ids: string[] = []
  private gate = ''

  constructor(world: OurWorld, demo: Demo) {
    this.world = world
    this.demo = demo
  }

  /** Predictions that join from now on wait, behind a gate that is closed. */
  close(): void {
    this.gate = join(this.world.world.folder, `gate-${crypto.randomUUID()}`)
  }

  /** Returns how long each of so many took to join, in milliseconds. */
  async join(count: number): Promise<number[]> {
    const times: number[] = []
    let left = count
    const client = async () => {
      while (left > 0) {
        left -= 1
        const begun = performance.now()
        this.ids.push(await this.submit())
        times.push(performance.now() - begun)
      }
    }
    await Promise.all(Array.from({ length: 8 }, client))
    return times
  }

  /** Lets `count` in while so many of them are watched, and returns how many a second were served. */
  async servedPerSecond(count: number, watched: number): Promise<number> {
    this.close()
    await this.join(count)
    await using _watchers = await watch(this.ids.slice(0, watched).map((id) => `${this.urlOf(id)}/events`))
    const begun = performance.now()
    await this.leave()
    return (count * 1000) / (performance.now() - begun)
  }

  /** Opens the gate, and waits until all are served. */
  async leave(): Promise<void> {
    await writeFile(this.gate, '')
    while (this.ids.length > 0) {
      const { body } = await request(this.urlOf(this.ids.at(-1) ?? ''), { dispatcher: this.agent })
      const { completed_at: at } = (await body.json()) as { completed_at: string | null }
      if (at === null) await setTimeout(20)
      else this.ids.pop()
    }
  }

  async daemonBytes(): Promise<number> {
    return (await this.world.rssBytes()).daemon
  }

  private urlOf(id: string): string {
    return `${this.demo.url}/predictions/${id}`
  }

  private async submit(): Promise<string> {
    const { statusCode, body } = await request(`${this.demo.url}/predictions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'respond-async' },
      body: JSON.stringify({ input: { text: this.gate } }),
      dispatcher: this.agent,
    })
    const answer = await body.text()
    if (statusCode !== 202) throw new Error(`expected 202, got ${statusCode} ${answer}`)
    return (JSON.parse(answer) as { id: string }).id
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent.destroy()
  }
}

/** A process of its own reads all these streams until it is disposed of. */
async function watch(urls: readonly string[]): Promise<AsyncDisposable> {
  if (urls.length === 0) return { [Symbol.asyncDispose]: async () => {} }
  const program = join(import.meta.dirname, '../load/watch.ts')
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(urls.join('\n'))
  const [watching] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  if (child.exitCode !== null) throw new Error(`those who watch ended with ${watching}`)
  return {
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return
      const exited = once(child, 'exit')
      child.kill()
      await exited
    },
  }
}

function p99(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(0.99 * times.length)] ?? Number.NaN
}
