import type { DeploymentId } from '@origami/protocol/demo'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultLimits } from '../../src/config.ts'
import type { DeployParts } from '../../src/deploy/parts.ts'
import { setServing } from '../../src/store/demos.ts'
import { crashed } from '../../src/upkeep/crashes.ts'
import { deployParts } from '../deploy/deploy-parts.ts'
import { addedDemo, at, demo, movedTo, openInMemory, rowOf } from '../store/in-memory.ts'

const [image, instance] = ['image' as never, 'instance' as never]
const limits = { ...defaultLimits, crashes: 2, crashWindowMs: 600_000 }

let db: DeployParts['db']
let parts: DeployParts
let id: DeploymentId
let nowMs: number
beforeEach(async () => {
  db = await openInMemory()
  nowMs = Date.parse(at)
  parts = deployParts(db, { limits, clock: () => nowMs, now: () => new Date(nowMs).toISOString() })
  id = (await addedDemo(db)).id
})
afterEach(async () => {
  await parts.tasks.settled()
  await db.destroy()
})

/** A version that serves and was READY at the start crashes this many minutes later, once for each number. */
async function crashesAt(...minutes: number[]) {
  await movedTo(db, id, 'running', { image, instance, endpoint: 'http://127.0.0.1:1', ready_at: at })
  await setServing(db, { id, demo_id: demo })
  for (const minute of minutes) {
    nowMs = Date.parse(at) + minute * 60_000
    await crashed(parts, await rowOf(db, id), 'exited')
  }
  return rowOf(db, id)
}

test('a crash is counted, and the version is not reached until it answers again', async () => {
  expect(await crashesAt(0, 1)).toMatchObject({
    state: 'running',
    crash_times: ['2026-11-25T00:00:00.000Z', '2026-11-25T00:01:00.000Z'],
    instance: { id: instance, reached: null },
  })
})

test('a crash counts until its window is over', async () => {
  expect(await crashesAt(0, 1, 11)).toMatchObject({
    state: 'running',
    crash_times: ['2026-11-25T00:01:00.000Z', '2026-11-25T00:11:00.000Z'],
  })
})

test('one crash too many within the window ends the version, with how it crashed', async () => {
  expect(await crashesAt(0, 1, 10)).toMatchObject({
    state: 'runtime_error',
    reason: 'It exited 3 times within ten minutes; its last lines are in the log',
  })
})

test('a crash of an earlier attempt, or of a version that does not serve, counts for nothing', async () => {
  const row = await movedTo(db, id, 'running', { image, instance })
  await crashed(parts, { ...row, attempt: row.attempt - 1 }, 'exited')
  expect(await rowOf(db, id)).toMatchObject({ crash_times: [] })
  await crashed(parts, await movedTo(db, id, 'draining', { image, instance }), 'exited')
  expect((await rowOf(db, id)).state).toBe('draining')
})

test.each([
  [1, null],
  [3, '2026-11-25T00:03:00.000Z'],
])('a version with two minutes to get ready that was READY for %i served well since %s', async (minute, since) => {
  expect(await crashesAt(minute)).toMatchObject({ served_well: since })
})
