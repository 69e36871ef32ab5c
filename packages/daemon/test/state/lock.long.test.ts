import { test } from 'vitest'
import { LockStarters } from './lock-starters.ts'

test('of 20 that start at once on a lock whose process was killed, one wins, 20 times', async () => {
  await using others = await LockStarters.open()
  await others.race(20, 20)
}, 300_000)
