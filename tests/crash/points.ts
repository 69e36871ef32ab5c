import { existsSync } from 'node:fs'
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Refusal } from '@origami/protocol/client'
import { isEnded } from '@origami/protocol/control'
import Docker from 'dockerode'
import { execa } from 'execa'
import { expect, vi } from 'vitest'
import { type Person, placeOf } from '../person.ts'
import { World, type WorldOptions } from '../world.ts'

const flags = ['--import', './tests/crash/fail-points.ts']
/** How long all may take to be as it should be again. */
const convergeMs = 60_000
/** How long an act's consequences may take to come, and how long there are none when all have come. */
const [lateMs, quietMs] = [20_000, 1500]
/** `limits.keep_versions`. */
const keptVersions = 2

/** A world whose daemon is killed at a point of `fail-points.ts`, and started again. */
export class CrashWorld implements AsyncDisposable {
  readonly world: World
  readonly ann: Person
  readonly address: string
  private readonly runs: string
  private readonly links: readonly string[]
  private version = 0
  private words = 0
  /** The words of predictions that were answered, and have to run once. */
  private readonly kept: string[] = []
  private readonly ending = new AbortController()
  private readonly watching: Promise<void>

  private constructor(world: World, ann: Person, address: string, links: readonly string[]) {
    this.world = world
    this.ann = ann
    this.address = address
    this.links = links
    this.runs = join(world.folder, 'runs')
    this.watching = this.startAgain()
  }

  static async start(engine: WorldOptions['engine']): Promise<CrashWorld> {
    const world = await World.start({
      engine,
      daemonFlags: flags,
      limits: { requestsPerMinute: 100_000 },
      settings: `limits:\n  keep_versions: ${keptVersions}\n`,
    })
    const ann = await world.person('ann')
    const link = await world.push('tests/demos/kept', 'ann')
    const other = await world.push('tests/demos/kept', 'ann', { name: 'other' })
    const page = await ann.deploy(link)
    expect(page.detail?.newest?.state, page.detail?.newest?.reason ?? '').toBe('running')
    return new CrashWorld(world, ann, page.address, [link, other])
  }

  /** What is done to it, each leaving all as it was before. */
  readonly acts: Readonly<Record<string, () => Promise<void>>> = {
    'a start of the daemon': async () => {
      await this.world.killDaemon()
      await this.isThere()
    },
    'a prediction': async () => this.predicts({}),
    'a prediction with files': async () => {
      const path = `${this.address}/files/${crypto.randomUUID()}/paper.txt`
      const headers = { 'content-type': 'text/plain' }
      await this.patiently(() => this.put(path, { method: 'PUT', headers, body: 'a paper' }))
      await this.predicts({ paper: this.world.url + path }, 'a paper')
    },
    'predictions that are canceled': async () => {
      const gate = join(this.world.folder, `gate-${this.words}`)
      const [runs, waits] = [await this.submit({ gate }), await this.submit({ gate })]
      for (const id of [waits, runs]) await this.cancel(id)
      for (const id of [runs, waits]) expect((await this.ended(id)).status).toBe('canceled')
    },
    'a new version': async () => {
      this.version += 1
      await this.world.push('tests/demos/kept', 'ann', { files: { 'notes.txt': `${this.version}` } })
      await this.redeploys()
    },
    'the same version again': async () => this.redeploys(),
    'a stop, and a start': async () => {
      const place = { params: placeOf(this.address) }
      await this.patiently(() => this.ann.call('POST /-/api/demos/:account/:name/stop', place))
      await this.is('stopped')
      await this.patiently(() => this.ann.call('POST /-/api/demos/:account/:name/start', place))
      await this.is('running')
    },
    'another demo, and its end': async () => {
      const body = { link: this.links[1] ?? '' }
      const { address } = await this.patiently(() => this.ann.call('POST /-/api/demos', { body }))
      await this.is('running', address)
      const remove = () => this.ann.call('DELETE /-/api/demos/:account/:name', { params: placeOf(address) })
      await this.patiently(() => remove().catch(unlessMissing))
    },
  }

  /** The points that are passed meanwhile, each once, with how often. */
  async passed(work: () => Promise<void>): Promise<Map<string, number>> {
    const log = join(this.world.folder, 'points.log')
    await writeFile(log, '')
    await work()
    // What comes after its end is a part of it.
    for (let size = -1; size < (await stat(log)).size; await setTimeout(quietMs)) size = (await stat(log)).size
    const counts = new Map<string, number>()
    for (const point of (await readFile(log, 'utf8')).trim().split('\n'))
      counts.set(point, (counts.get(point) ?? 0) + 1)
    return counts
  }

  /** Works with the daemon killed at this point. Returns whether it came there. */
  async killedAt(point: string, work: () => Promise<void>): Promise<boolean> {
    const [wanted, killed] = [join(this.world.folder, 'point'), join(this.world.folder, 'killed')]
    await rm(killed, { force: true })
    await writeFile(wanted, point)
    await work()
    // Some of what an act leads to comes after its end.
    await vi.waitFor(() => expect(existsSync(killed)).toBe(true), { timeout: lateMs, interval: 20 }).catch(() => {})
    await rm(wanted, { force: true })
    await this.isThere()
    return existsSync(killed)
  }

  /** The same, of a daemon that has just been started. */
  async killedAtFirst(point: string, work: () => Promise<void>): Promise<boolean> {
    await this.acts['a start of the daemon']?.()
    return this.killedAt(point, work)
  }

  /** Throws when anything that was promised does not hold. */
  async check(): Promise<void> {
    await this.is('running')
    const ran = (await readFile(this.runs, 'utf8').catch(() => '')).trim().split('\n')
    expect(this.kept.filter((word) => ran.filter((one) => one === word).length !== 1)).toEqual([])
    expect(new Set(ran).size).toBe(ran.length)
    await vi.waitFor(async () => expect(await this.instances()).toHaveLength(1), { timeout: convergeMs, interval: 100 })
  }

  /** Throws when more is there than what serves, and the versions that are kept. */
  async checkLeftovers(): Promise<void> {
    const inFolder = (folder: string) => readdir(join(this.world.folder, 'daemon', folder)).catch(() => [])
    await vi.waitFor(
      async () => {
        expect(await inFolder('work')).toEqual([])
        expect((await inFolder('engine/instances')).length).toBeLessThanOrEqual(1)
        // What serves counts among those that are kept once it has served well for a while.
        expect((await this.images()).length).toBeLessThanOrEqual(keptVersions + 1)
      },
      { timeout: convergeMs, interval: 500 },
    )
  }

  private async images(): Promise<string[]> {
    if (this.world.engine === 'process') return readdir(join(this.world.folder, 'daemon/engine/images'))
    return (await new Docker().listImages({ filters: await this.owned() })).map(({ Id }) => Id)
  }

  private async owned(): Promise<{ label: string[] }> {
    return { label: [`io.origami.owner=${await readFile(join(this.world.folder, 'daemon/owner'), 'utf8')}`] }
  }

  private async instances(): Promise<string[]> {
    if (this.world.engine === 'docker')
      return (await new Docker().listContainers({ all: true, filters: await this.owned() })).map(({ Id }) => Id)
    const { stdout } = await execa('pgrep', ['-f', `shim.sh .*${this.world.folder}`], { reject: false })
    return stdout.split('\n').filter(Boolean)
  }

  private async predicts(input: Record<string, unknown>, content?: string): Promise<void> {
    const id = await this.submit(input)
    const { status, output, error } = await this.ended(id)
    expect([status, error]).toEqual(['succeeded', null])
    const { said, result } = output as { said: string; result: string }
    const text = await this.patiently(async () => (await this.put(result)).text())
    expect(text).toBe(content ?? said)
  }

  /** Under an id of its own, so that asking again makes no other one. Returns the id. */
  private async submit(input: Record<string, unknown>): Promise<string> {
    this.words += 1
    const [id, word] = [crypto.randomUUID(), `word${this.words}`]
    // A container writes to no file of the host.
    const noted = this.world.engine === 'docker' ? {} : { runs: this.runs }
    const body = { input: { word, ...noted, ...input } }
    const asked = { params: { id }, body }
    await this.patiently(() =>
      this.ann.demo(this.address).call('PUT /predictions/:id', asked, { headers: { prefer: 'respond-async' } }),
    )
    if (!input.gate && 'runs' in noted) this.kept.push(word)
    return id
  }

  private async cancel(id: string): Promise<void> {
    const canceled = () => this.ann.demo(this.address).call('POST /predictions/:id/cancel', { params: { id } })
    await this.patiently(() => canceled().catch(unlessMissing))
  }

  private async ended(id: string) {
    return this.until(
      () => this.ann.demo(this.address).call('GET /predictions/:id', { params: { id } }),
      ({ completed_at }) => completed_at !== null,
    )
  }

  private async redeploys(): Promise<void> {
    const asked = { params: placeOf(this.address) }
    await this.patiently(() => this.ann.call('POST /-/api/demos/:account/:name/deploy', asked))
    const { newest } = await this.until(
      async () => ({ newest: (await this.ann.page(this.address)).detail?.newest }),
      ({ newest }) => newest?.id !== undefined && (newest.state === 'running' || isEnded(newest.state)),
    )
    expect([newest?.state, newest?.reason ?? null]).toEqual(['running', null])
  }

  private async is(state: string, address = this.address): Promise<void> {
    await this.until(
      () => this.ann.page(address),
      (page) => page.state === state,
    )
  }

  private async isThere(): Promise<void> {
    await this.until(
      () => this.ann.page(this.address),
      ({ detail }) => detail !== null && detail !== undefined && this.world.isDaemonThere,
    )
  }

  private async until<Answer>(ask: () => Promise<Answer>, isDone: (answer: Answer) => boolean): Promise<Answer> {
    const since = Date.now()
    for (;;) {
      const answer = await this.patiently(ask)
      if (isDone(answer)) return answer
      if (Date.now() - since > convergeMs)
        throw new Error(`it came to no end: ${JSON.stringify(answer).slice(0, 2000)}`)
      await setTimeout(30)
    }
  }

  private async put(path: string, init: RequestInit = {}): Promise<Response> {
    const response = await this.ann.fetch(path, init)
    if (response.status >= 502) throw new Away(`${path} answered ${response.status}`)
    expect(response.status).toBeLessThan(300)
    return response
  }

  /** Asks again while the daemon is away, as pages and clients do. */
  private async patiently<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    const since = Date.now()
    for (;;) {
      try {
        return await ask()
      } catch (error) {
        const isAway = error instanceof Away || (error instanceof Refusal && error.status >= 502)
        if (!isAway || Date.now() - since > convergeMs) throw error
        await setTimeout(30)
      }
    }
  }

  /** A daemon that was killed is started again. */
  private async startAgain(): Promise<void> {
    while (!this.ending.signal.aborted) {
      await this.world.untilDaemonEnds(this.ending.signal)
      if (this.ending.signal.aborted) return
      // One that was killed while it started is started again.
      await this.world.startDaemon().catch(() => undefined)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ending.abort()
    await this.watching
    await this.world[Symbol.asyncDispose]()
  }
}

/** The daemon is away, or broke off. */
class Away extends Error {}

function unlessMissing(error: unknown): undefined {
  if (error instanceof Refusal && error.status === 404) return undefined
  throw error
}

/**
 * Kills a daemon at each point that its acts pass, one after the other, and looks each time whether all is as it was
 * promised. `share`: of how many points one is tried, and which of them first.
 */
export async function crashMatrix(crash: CrashWorld, [each, first]: readonly [number, number]): Promise<void> {
  const found = await pointsOf(crash)
  console.log(found.map(({ act, point, count }) => `${act}: ${point} (${count})`).join('\n'))
  await crash.check()
  const never: string[] = []
  for (const [index, { act, point }] of found.entries()) {
    if (index % each !== first % each) continue
    try {
      const work = crash.acts[act] as () => Promise<void>
      // Some points are passed once in a daemon's life: then the act is the first of a new one.
      const isHit = (await crash.killedAt(point, work)) || (await crash.killedAtFirst(point, work))
      if (!isHit) never.push(`${act}: ${point}`)
      await crash.check()
    } catch (cause) {
      throw new Error(`killed ${point}, in ${act}: ${String(cause)}`, { cause })
    }
    console.log(`killed ${point}`)
  }
  expect(never).toEqual([])
  await crash.checkLeftovers()
}

/** By `ORIGAMI_TEST_POINTS` (`10/3`: of ten points the fourth, and so on). */
export function shareOf(text: string | undefined): [number, number] {
  const [each = 1, first = 0] = (text ?? '').split('/').filter(Boolean).map(Number)
  return [each, first]
}

/** Each point with the first act that passes it. */
async function pointsOf(crash: CrashWorld): Promise<{ act: string; point: string; count: number }[]> {
  const found = new Map<string, { act: string; point: string; count: number }>()
  for (const [act, work] of Object.entries(crash.acts))
    for (const [point, count] of await crash.passed(work))
      if (!found.has(point)) found.set(point, { act, point, count })
  return [...found.values()]
}
