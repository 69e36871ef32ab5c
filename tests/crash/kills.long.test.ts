import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isEnded } from '@origami/protocol/control'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Person, placeOf } from '../person.ts'
import { World } from '../world.ts'

const kills = Number(process.env.ORIGAMI_TEST_KILLS ?? 20)
const visitors = 8
const betweenKills = 12

describe(`when the daemon is killed (SIGKILL) ${kills} times while ${visitors} visitors call a demo and another one is built`, () => {
  let world: World
  let ann: Person
  let gated: string
  let built: string
  let gate: string
  /** The predictions that were answered with 202. */
  const accepted: string[] = []

  beforeAll(async () => {
    world = await World.start({ engine: 'process', limits: { requestsPerMinute: 100_000 } })
    ann = await world.person('ann')
    gated = (await ann.deploy(await world.push('tests/demos/gated', 'ann'))).address
    built = (
      await ann.deploy(await world.push('tests/demos/gated', 'ann', { name: 'built', files: withDependency('2.1.3') }))
    ).address
    gate = join(world.folder, 'gate')
    await writeFile(gate, '')
  }, 240_000)

  afterAll(async () => world[Symbol.asyncDispose](), 60_000)

  test('every prediction that was accepted ends, and none ran twice', async () => {
    const done = new AbortController()
    const calling = Array.from({ length: visitors }, (_, index) => callOnAndOn(`visitor${index}`, done.signal))
    for (let kill = 0; kill < kills; kill += 1) {
      const enough = accepted.length + betweenKills
      await vi.waitFor(() => expect(accepted.length).toBeGreaterThanOrEqual(enough), { timeout: 60_000, interval: 5 })
      await world.push('tests/demos/gated', 'ann', {
        name: 'built',
        files: withDependency(kill % 2 ? '2.1.3' : '2.1.2'),
      })
      await ann.call('POST /-/api/demos/:account/:name/deploy', { params: placeOf(built) })
      await world.killDaemon()
      await world.startDaemon()
    }
    done.abort()
    await Promise.all(calling)
    const ended = await Promise.all(accepted.map((id) => ann.prediction(gated, id)))
    const ran = (await readFile(`${gate}.runs`, 'utf8')).trim().split('\n')
    expect(new Set(ran).size).toBe(ran.length)
    expect(
      ended.filter(({ status }) => status !== 'succeeded').map(({ status, reason, error }) => [status, reason, error]),
    ).toEqual([])
    console.log(`${accepted.length} accepted, ${kills} kills: all of them ended, none lost, none ran twice`)
  }, 900_000)

  test('what was being built is live in the end, and nothing that a dead daemon left got in its way', async () => {
    const page = await vi.waitFor(
      async () => {
        const now = await ann.call('GET /-/api/demos/:account/:name', { params: placeOf(built) })
        const { newest } = now.detail ?? {}
        expect(newest && (newest.state === 'running' || isEnded(newest.state)), newest?.state).toBe(true)
        return now
      },
      { timeout: 120_000, interval: 200 },
    )
    const outcomes = page.detail?.deployments.map(({ state, reason }) => [state, reason]) ?? []
    expect(
      outcomes.filter(([state]) => !['running', 'retired', 'draining', 'superseded'].includes(String(state))),
    ).toEqual([])
    expect(page.detail?.newest?.state, page.detail?.newest?.reason ?? '').toBe('running')
  }, 180_000)

  /** Calls the demo, waits for the answer, and calls again. A server that is away is called again. */
  async function callOnAndOn(name: string, signal: AbortSignal): Promise<void> {
    const visitor = new Person(world.url)
    await visitor.session()
    for (let call = 0; !signal.aborted; call += 1) {
      const made = await visitor.submit(gated, { word: `${name}-${call}`, gate }).catch(() => undefined)
      if (!made) continue
      accepted.push(made.id)
      await vi.waitFor(() => ended(visitor, made.id), { timeout: 120_000, interval: 20 })
    }
  }

  async function ended(visitor: Person, id: string): Promise<void> {
    const { completed_at } = await visitor.demo(gated).call('GET /predictions/:id', { params: { id } })
    expect(completed_at).not.toBeNull()
  }
})

/** Something that pip takes a moment to install. */
const withDependency = (version: string): Record<string, string> => ({ 'requirements.txt': `markupsafe==${version}\n` })
