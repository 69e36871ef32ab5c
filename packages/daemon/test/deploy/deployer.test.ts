import { setImmediate } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Deployer } from '../../src/deploy/deployer.ts'
import type { DeployParts } from '../../src/deploy/parts.ts'
import { addedDemo, openInMemory, rowOf } from '../store/in-memory.ts'
import { deployParts } from './deploy-parts.ts'

let db: DeployParts['db']
beforeEach(async () => {
  db = await openInMemory()
})
afterEach(() => db.destroy())

test('a deployment that cannot be begun is begun again after a pause, and not at once for ever', async () => {
  const { id } = await addedDemo(db)
  await sql`CREATE TRIGGER full BEFORE UPDATE ON deployments BEGIN SELECT RAISE(FAIL, 'the disk is full'); END`.execute(
    db,
  )
  let tries = 0
  const append = async () => {
    tries += 1
  }
  const deployer = new Deployer(deployParts(db, { logs: { append, tail: async () => [] } }))
  deployer.wake()
  await vi.waitFor(() => expect(tries).toBe(1))
  for (const _ of Array(500)) await setImmediate()
  expect(tries).toBe(1)
  await sql`DROP TRIGGER full`.execute(db)
  await vi.waitFor(async () => expect((await rowOf(db, id)).state).toBe('clone_failed'), { timeout: 5000 })
  await deployer.leave()
})
