import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { unthrottled } from '../../bench/servers/unthrottled.ts'
import { World } from '../world.ts'

const kills = Number(process.env.ORIGAMI_TEST_KILLS ?? 50)
const clients = 32
const betweenKills = 60

/** An answer that says that a prediction is stored: 202 once it was taken, 200 once it ended. */
interface Answered {
  readonly id: string
  readonly status: 200 | 202
  readonly output: unknown
}

let world: World
let address: string
let gate: string
/** Resolves once the daemon is there again after it was killed, so that nobody calls in vain over and over. */
let back: Promise<void> = Promise.resolve()
const agent = new Agent({ connections: clients })
beforeAll(async () => {
  world = await World.start({ engine: 'process', settings: unthrottled })
  const ann = await world.person('ann')
  address = (await ann.deploy(await world.push('tests/demos/gated', 'ann'))).address
  gate = join(world.folder, 'gate')
  await writeFile(gate, '')
}, 240_000)
afterAll(async () => {
  await agent.destroy()
  await world[Symbol.asyncDispose]()
}, 60_000)

test(`when the daemon is killed (SIGKILL) ${kills} times under ${clients} clients, every prediction that was answered is there, as it was answered, and none ran twice`, async () => {
  const answered: Answered[] = []
  const done = new AbortController()
  const calling = Array.from({ length: clients }, (_, index) => callOnAndOn(index, answered, done.signal))
  for (let kill = 0; kill < kills; kill += 1) {
    const enough = answered.length + betweenKills
    await vi.waitFor(() => expect(answered.length).toBeGreaterThanOrEqual(enough), { timeout: 60_000, interval: 5 })
    const { promise, resolve } = Promise.withResolvers<void>()
    back = promise
    await world.killDaemon()
    await world.startDaemon()
    resolve()
  }
  done.abort()
  await Promise.all(calling)
  await vi.waitFor(() => expect(stored().filter(({ completed_at }) => completed_at === null)).toEqual([]), 120_000)
  const rows = new Map(stored().map((row) => [row.id, row]))
  const lost = answered.filter(({ id, status, output }) => {
    const row = rows.get(id)
    return row?.status !== 'succeeded' || (status === 200 && row.output !== JSON.stringify(output))
  })
  expect(lost).toEqual([])
  const ran = (await readFile(`${gate}.runs`, 'utf8')).trim().split('\n')
  expect(ran.length).toBe(new Set(ran).size)
  expect(new Set(answered.map(({ status }) => status))).toEqual(new Set([200, 202]))
  console.log(`${answered.length} answered, ${kills} kills: all of them are there, none ran twice`)
}, 1_800_000)

/** Calls the demo again and again, and asks for an answer at once every other time. Other answers do not count. */
async function callOnAndOn(client: number, answered: Answered[], signal: AbortSignal): Promise<void> {
  for (let call = 0; !signal.aborted; call += 1) {
    await back
    const answer = await predict(`${client}-${call}`, call % 2 === 0).catch(() => undefined)
    if (answer) answered.push(answer)
  }
}

async function predict(word: string, atOnce: boolean): Promise<Answered | undefined> {
  const { statusCode, body } = await request(`${world.url}${address}/predictions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(atOnce ? { prefer: 'respond-async' } : {}) },
    body: JSON.stringify({ input: { word, gate } }),
    dispatcher: agent,
  })
  const text = await body.text()
  if (statusCode !== 200 && statusCode !== 202) return undefined
  const { id, status, output } = JSON.parse(text)
  return statusCode === 202 || status === 'succeeded' ? { id, status: statusCode, output } : undefined
}

/** All predictions of the daemon's store. */
function stored() {
  const database = new Database(join(world.folder, 'daemon/daemon.db'), { readonly: true })
  try {
    const rows = database.prepare('SELECT id, status, output, completed_at FROM predictions').all()
    return rows as { id: string; status: string; output: string | null; completed_at: string | null }[]
  } finally {
    database.close()
  }
}
