import type { DeploymentId } from '@origami/protocol/demo'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DeploymentRunner } from '../../src/deploy/deployment-runner.ts'
import type { DeployParts } from '../../src/deploy/parts.ts'
import { Tasks } from '../../src/deploy/tasks.ts'
import { Reconciler } from '../../src/upkeep/reconcile.ts'
import { deployParts } from '../deploy/deploy-parts.ts'
import { demo, openInMemory } from '../store/in-memory.ts'

let db: DeployParts['db']
beforeEach(async () => {
  db = await openInMemory()
})
afterEach(() => db.destroy())

/** A round over instances that belong to no demo. Each one says how it is stopped. */
function roundOver(stops: Record<string, (graceMs: number) => Promise<unknown>>) {
  const removed: string[] = []
  const engine = {
    list: async () => Object.keys(stops).map((id) => ({ id, demo, deployment: id, state: 'running' })),
    images: async () => [],
    stop: async (id: string, graceMs: number) => stops[id]?.(graceMs),
    remove: async (id: string) => removed.push(id),
  }
  const leaving = new AbortController()
  const tasks = new Tasks(leaving.signal)
  const parts = deployParts(db, { engine, tasks, pumps: { drained: async () => {} } })
  const runner = new DeploymentRunner(parts)
  const round = runner.shutDown().then(() => new Reconciler(parts, runner).round())
  return { removed, tasks, round }
}

test('an instance that takes long to be stopped keeps no other from being removed', async () => {
  const slow = Promise.withResolvers<void>()
  const { removed, round } = roundOver({ slow: () => slow.promise, other: async () => {} })
  await vi.waitFor(() => expect(removed).toEqual(['other']))
  slow.resolve()
  await round
  expect(removed).toEqual(['other', 'slow'])
})

test("an instance that is nobody's has no more grace once its deployment is started again", async () => {
  const killed = Promise.withResolvers<void>()
  const graces: number[] = []
  const { removed, tasks, round } = roundOver({
    stubborn: async (graceMs) => {
      graces.push(graceMs)
      if (graceMs === 0) killed.resolve()
      await killed.promise
    },
  })
  await vi.waitFor(() => expect(graces).toHaveLength(1))
  await tasks.end('stubborn' as DeploymentId)
  await round
  expect([graces.at(-1), removed]).toEqual([0, ['stubborn']])
})
