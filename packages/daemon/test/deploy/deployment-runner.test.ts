import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { DemoId } from '@origami/protocol/demo'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DeploymentRunner } from '../../src/deploy/deployment-runner.ts'
import type { DeployParts } from '../../src/deploy/parts.ts'
import { type FetchedCommit, type FetchRequest, SourceError } from '../../src/source/source.ts'
import { wantDemo } from '../../src/store/demos.ts'
import type { Deployment } from '../../src/store/deployment.ts'
import { note } from '../../src/store/deployments.ts'
import { addDeployment } from '../../src/store/waiting-deployments.ts'
import { failOverdue } from '../../src/upkeep/deadlines.ts'
import { addedDemo, at, movedTo, openInMemory, rowOf } from '../store/in-memory.ts'
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
  const runner = new DeploymentRunner(deployParts(db, { logs: { append, tail: async () => [] } }))
  runner.wake()
  await vi.waitFor(() => expect(tries).toBe(1))
  for (const _ of Array(500)) await setImmediate()
  expect(tries).toBe(1)
  await sql`DROP TRIGGER full`.execute(db)
  await vi.waitFor(async () => expect((await rowOf(db, id)).state).toBe('clone_failed'), { timeout: 5000 })
  await runner.shutDown()
})

test('a deployment that broke off before its time is over is taken up again by the next round', async () => {
  const { id } = await addedDemo(db)
  await movedTo(db, id, 'cloning')
  const parts = deployParts(db)
  await failOverdue(parts, new DeploymentRunner(parts))
  expect(await rowOf(db, id)).toMatchObject({ state: 'queued', attempt: 1 })
})

test('one that breaks off each time is not taken up for ever', async () => {
  const { id } = await addedDemo(db)
  const parts = deployParts(db)
  for (const _ of Array(parts.limits.interruptions)) {
    await movedTo(db, id, 'cloning')
    await failOverdue(parts, new DeploymentRunner(parts))
  }
  expect(await rowOf(db, id)).toMatchObject({ state: 'poisoned' })
})

test('one that the next death of the daemon would end is worked on alone, so that it dies of no other', async () => {
  const work = await mkdtemp(join(tmpdir(), 'origami-runner-'))
  const gates = { first: Promise.withResolvers<void>(), suspect: Promise.withResolvers<void>() }
  const begun: string[] = []
  const fetch = async ({ repo: { name } }: FetchRequest): Promise<FetchedCommit> => {
    begun.push(name)
    await gates[name as keyof typeof gates]?.promise
    throw new SourceError('nothing is there')
  }
  const ids = new Map<string, Deployment['id']>()
  for (const [index, name] of ['first', 'suspect', 'last'].entries()) {
    const demo = String(index).repeat(32) as DemoId
    await wantDemo(db, { id: demo, user_id: name, repolink: `https://folder.test/ann/${name}` }, at)
    ids.set(name, await addDeployment(db, demo, `2026-11-25T00:00:0${index}.000Z`, () => null))
  }
  const suspect = ids.get('suspect') ?? ('' as Deployment['id'])
  await movedTo(db, suspect, 'cloning')
  await movedTo(db, suspect, 'queued', { interruptions: 2 })
  const runner = new DeploymentRunner(deployParts(db, { source: { fetch }, work }))
  const settled = async () => {
    for (const _ of Array(500)) await setImmediate()
  }
  runner.wake()
  await vi.waitFor(() => expect(begun).toEqual(['first']))
  await settled()
  expect(begun).toEqual(['first'])
  gates.first.resolve()
  await vi.waitFor(() => expect(begun).toEqual(['first', 'suspect']))
  await settled()
  expect(begun).toEqual(['first', 'suspect'])
  gates.suspect.resolve()
  await vi.waitFor(() => expect(begun).toEqual(['first', 'suspect', 'last']))
  await runner.shutDown()
  await rm(work, { recursive: true })
})

test('a deployment that broke off can be canceled', async () => {
  const { id } = await addedDemo(db)
  await movedTo(db, id, 'building')
  expect(await new DeploymentRunner(deployParts(db)).cancel(id)).toBe(true)
  expect(await rowOf(db, id)).toMatchObject({ state: 'canceled' })
})

test('a cancel is stored and answered though the engine does not answer, and what was started is removed when it does', async () => {
  const { id } = await addedDemo(db)
  await note(db, { id, attempt: 0 }, { image: 'i' as never })
  const [ended, removed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const engine = {
    instancesOf: async () => [],
    start: async () => ({ id: 'one' }),
    async *watch(_id: string, over: AbortSignal) {
      yield { id: 'one', state: 'running' }
      await once(over, 'abort')
    },
    stop: () => ended.promise,
    remove: async () => true,
    removeImage: async () => removed.resolve(),
  }
  const parts = deployParts(db, { engine, pumps: { start: () => {}, drained: async () => {} } })
  Object.assign(parts, { limits: { ...parts.limits, stopMs: 10 } })
  const runner = new DeploymentRunner(parts)
  runner.wake()
  await vi.waitFor(async () => expect((await rowOf(db, id)).state).toBe('health_checking'))
  expect(await runner.cancel(id)).toBe(true)
  expect([await rowOf(db, id), runner.isUnderWay(id)]).toMatchObject([{ state: 'canceled', image: null }, true])
  ended.resolve()
  await removed.promise
  await runner.shutDown()
})
