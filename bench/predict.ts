import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import type { DemoPage } from '@origami/protocol/control'
import Database from 'better-sqlite3'
import { Person } from '../tests/person.ts'
import { World } from '../tests/world.ts'

const rounds = 100
const burst = 90

if (process.argv.includes('--help'))
  console.log(`npm run bench
What Origami adds to a prediction, beside what no queue could do without:
1. one prediction at a time (${rounds} of each, taking turns): through web server, daemon, durable queue and
   instance, against the instance alone;
2. ${burst} predictions sent at once until all are stored durably, against as many commits of SQLite (WAL,
   synchronous=FULL) one by one.
Only the ratios mean anything: machines differ, and are noisy.`)
else await bench()

async function bench(): Promise<void> {
  await using world = await World.start({ engine: 'process' })
  const ann = await world.person('ann')
  const { address, detail } = await live(ann, await world.push('tests/demos/gated', 'ann'))
  const visitor = new Person(world.url)
  const whole = () => visitor.demo(address).call('POST /predictions', { body: { input: { word: 'x' } } })
  const alone = () => predict(`http://127.0.0.1:${detail?.port}`)
  const times: [number, number][] = []
  for (let round = 0; round < rounds + 10; round += 1) times.push([await timed(whole), await timed(alone)])
  const steady = times.slice(10)
  const [path, instance] = [median(steady.map(([time]) => time)), median(steady.map(([, time]) => time))]
  tell('one prediction', 'through the queue', path, 'the instance alone', instance)

  const stored = await timed(() =>
    Promise.all(Array.from({ length: burst }, () => visitor.submit(address, { word: 'x' }))),
  )
  tell(`${burst} stored`, 'sent at once', stored, 'commits one by one', await commits(burst))
}

async function live(owner: Person, link: string): Promise<DemoPage> {
  const { address } = await owner.call('POST /-/api/demos', { body: { link } })
  for (;;) {
    const page = await owner.page(address)
    if (page.state === 'running') return page
    if (page.state === 'failed') throw new Error(page.detail?.reason ?? 'it failed')
    await setTimeout(100)
  }
}

async function predict(url: string): Promise<void> {
  const body = JSON.stringify({ input: { word: 'x' } })
  const response = await fetch(`${url}/predictions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  await response.arrayBuffer()
}

/** The time that the disk takes for as many rows, each of them made durable. */
async function commits(count: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'origami-bench-'))
  const db = new Database(join(folder, 'limit.db'))
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec('CREATE TABLE rows (id integer PRIMARY KEY, text text)')
  const insert = db.prepare('INSERT INTO rows (text) VALUES (?)')
  const time = await timed(async () => {
    for (let row = 0; row < count; row += 1) insert.run('x'.repeat(500))
  })
  db.close()
  await rm(folder, { recursive: true })
  return time
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function tell(what: string, ours: string, time: number, limit: string, least: number): void {
  console.log(
    `${what}: ${ours} ${time.toFixed(1)} ms, ${limit} ${least.toFixed(1)} ms, ratio ${(time / least).toFixed(2)}`,
  )
}
