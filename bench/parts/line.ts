import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { type Person, placeOf } from '../../tests/person.ts'
import type { Demo, OurWorld } from '../servers/our-world.ts'
import { PredictionsTable } from '../servers/predictions-table.ts'

const joinAtOnce = 8

/** The predictions that wait for a demo of `models/gated`, which answers none until its gate is open. */
export class Line implements AsyncDisposable {
  private readonly owner: Person
  private readonly demo: Demo
  private readonly folder: string
  private readonly table: PredictionsTable
  private readonly agent = new Agent({ connections: 16 })

  constructor({ world, owner }: OurWorld, demo: Demo) {
    this.owner = owner
    this.demo = demo
    this.folder = world.folder
    this.table = new PredictionsTable(world.folder)
  }

  /** A gate that is closed: the path of a file that is not there. */
  gate(): string {
    return join(this.folder, `gate-${crypto.randomUUID()}`)
  }

  async open(gate: string): Promise<void> {
    await writeFile(gate, '')
  }

  /** Joins so often behind a gate. Returns how long each took in milliseconds, and the ids in order of arrival. */
  async join(count: number, gate: string, atOnce = joinAtOnce): Promise<{ times: number[]; ids: string[] }> {
    const [times, ids]: [number[], string[]] = [[], []]
    let left = count
    const client = async () => {
      while (left > 0) {
        left -= 1
        const begun = performance.now()
        ids.push(await this.submit(gate))
        times.push(performance.now() - begun)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, client))
    return { times, ids: this.table.byArrival(ids) }
  }

  /** Cancels all that wait. Those that run have an open gate. */
  async leave(): Promise<void> {
    await this.owner.call('DELETE /-/api/demos/:account/:name/queue', { params: placeOf(this.demo.address) })
    await this.ended()
  }

  /** Waits until nothing waits or runs. */
  async ended(): Promise<void> {
    while (this.table.open() > 0) await setTimeout(50)
  }

  /** When each of these ended, in milliseconds since 1970. Waits for them. */
  async ends(ids: readonly string[]): Promise<number[]> {
    for (;;) {
      const ends = this.table.ends(ids)
      if (ends.length === ids.length) return ends
      await setTimeout(20)
    }
  }

  eventsOf(id: string): string {
    return `${this.demo.url}/predictions/${id}/events`
  }

  private async submit(gate: string): Promise<string> {
    const { statusCode, body } = await request(`${this.demo.url}/predictions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'respond-async' },
      body: JSON.stringify({ input: { text: gate } }),
      dispatcher: this.agent,
    })
    const answer = await body.text()
    if (statusCode !== 202) throw new Error(`expected 202, got ${statusCode} ${answer}`)
    return (JSON.parse(answer) as { id: string }).id
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.table[Symbol.dispose]()
    await this.agent.destroy()
  }
}
