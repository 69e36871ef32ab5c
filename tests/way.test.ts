import { expect, test } from 'vitest'
import { type Counts, type Hop, hops, Way } from '../bench/way/way.ts'

type Counted = 'requests' | 'calls' | 'prepares' | 'statements' | 'commits' | 'parses' | 'stringifies'

/** What one prediction costs at most, on average, at 1 client and at 16. Lower them as the way gets shorter. */
const most: Record<Hop, Record<Counted, number>> = {
  web: { requests: 1, calls: 0, prepares: 0, statements: 0, commits: 0, parses: 3, stringifies: 4 },
  daemon: { requests: 0, calls: 0, prepares: 0.1, statements: 4, commits: 2, parses: 4, stringifies: 8 },
  runtime: { requests: 0, calls: 0, prepares: 0, statements: 0, commits: 0, parses: 2, stringifies: 4 },
}

test('one prediction costs no more requests, statements, commits and JSON than it did', async () => {
  await using way = await Way.open()
  for (const clients of [1, 16]) {
    const found = await way.count(clients, 160)
    for (const hop of hops) expect(above(found[hop], most[hop]), `${hop}, ${clients} clients`).toEqual({})
  }
})

function above(found: Counts, limits: Record<Counted, number>): Record<string, string> {
  const names = Object.keys(limits) as Counted[]
  // A request of something else than the load, such as a round of upkeep, may fall in between.
  const tooMany = names.filter((name) => found[name] > limits[name] * 1.1 + 0.1)
  return Object.fromEntries(tooMany.map((name) => [name, `${found[name]}, at most ${limits[name]}`]))
}
