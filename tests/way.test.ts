import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Counts, type Hop, hops, Way } from '../bench/way/way.ts'

type Counted = Exclude<keyof Counts, 'reads' | 'readBytes' | 'writes'>

/**
 * What one prediction costs at most, on average, at 1 client and at 16. Lower them as the way gets shorter. What is
 * read, and how often something is written, has no limit: the kernel cuts what comes, and threads wake each other. Of
 * what is copied the limit is above what was seen: messages that came in pieces are put together.
 */
const most: Record<Hop, Record<Counted, number>> = {
  web: {
    requests: 1,
    connections: 0.1,
    calls: 0,
    handshakes: 0,
    prepares: 0,
    statements: 0,
    commits: 0,
    fsyncs: 0,
    parses: 3,
    parsedBytes: 482,
    stringifies: 3,
    stringifiedBytes: 906,
    copiedBytes: 600,
    writtenBytes: 1850,
  },
  daemon: {
    requests: 0,
    connections: 0,
    calls: 0,
    handshakes: 0,
    prepares: 0.1,
    statements: 4,
    commits: 2,
    fsyncs: 2,
    parses: 4,
    parsedBytes: 756,
    stringifies: 5,
    stringifiedBytes: 610,
    copiedBytes: 1600,
    writtenBytes: 62_000,
  },
  runtime: {
    requests: 0,
    connections: 0,
    calls: 0,
    handshakes: 0,
    prepares: 0,
    statements: 0,
    commits: 0,
    fsyncs: 0,
    parses: 2,
    parsedBytes: 191,
    stringifies: 4,
    stringifiedBytes: 641,
    copiedBytes: 1800,
    writtenBytes: 660,
  },
}

let way: Way
beforeAll(async () => {
  way = await Way.open()
}, 120_000)
afterAll(() => way[Symbol.asyncDispose](), 60_000)

test('one prediction costs no more requests, handshakes, statements, commits, fsyncs, JSON and copies than it did', async () => {
  for (const clients of [1, 16]) {
    const { counts } = await way.count(clients, 160)
    for (const hop of hops) expect(above(counts[hop], most[hop]), `${hop}, ${clients} clients`).toEqual({})
  }
})

test('each of the counts counts', async () => {
  const { web, daemon, runtime } = await way.counts()
  for (const [name, count] of Object.entries(daemon)) expect(count, `${name} of the daemon`).toBeGreaterThan(0)
  for (const name of ['requests', 'connections', 'parses', 'writtenBytes'] as const)
    for (const counts of [web, runtime]) expect(counts[name], name).toBeGreaterThan(0)
})

function above(found: Counts, limits: Record<Counted, number>): Record<string, string> {
  const names = Object.keys(limits) as Counted[]
  // A request of something else than the load, such as a round of upkeep, may fall in between.
  const tooMany = names.filter((name) => found[name] > limits[name] * 1.1 + 0.1)
  return Object.fromEntries(tooMany.map((name) => [name, `${found[name]}, at most ${limits[name]}`]))
}
