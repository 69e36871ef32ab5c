import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { InstanceRun } from '../../../src/predictions/instance/instance-run.ts'
import type { DispatcherParts } from '../../../src/predictions/parts.ts'
import { predictionByArrival } from '../../../src/store/predictions.ts'
import { openInMemory } from '../../store/in-memory.ts'
import { dispatcherParts, manifest, schema, sentPrediction, waitingAt } from './instances.ts'

let db: DispatcherParts['db']
beforeEach(async () => {
  db = await openInMemory()
})
afterEach(() => db.destroy())

test('a prediction of which could twice not be stored where it is sent runs, and its end counts', async () => {
  const { deployment, row } = await waitingAt(db, 'a', 'http://instance.test')
  const end = { id: row.id, status: 'succeeded', input: {}, output: 'hi', error: null, reason: null, logs: '' }
  const times = { metrics: {}, created_at: row.created_at, started_at: null, completed_at: null }
  const submit = vi.fn(async () => ({
    async *events() {
      yield { seq: 1, type: 'completed', data: { ...end, ...times, deployment: null, commit: null, queue: null } }
    },
  }))
  const target = { endpoint: 'http://instance.test', deployment: { id: deployment, commit_sha: null }, schema }
  const parts = { ...dispatcherParts(db, () => ({ submit })), files: { of: () => ({}) } } as unknown as DispatcherParts
  const full = new Error('the disk is full')
  vi.spyOn(parts.commits, 'run').mockRejectedValueOnce(full).mockRejectedValueOnce(full)
  const never = new AbortController().signal
  const run = new InstanceRun(
    parts,
    await sentPrediction(db, row.arrival),
    { ...target, times: manifest },
    never,
    () => {},
  )
  expect(await run.send(false)).toBe('over')
  expect(submit).toHaveBeenCalledOnce()
  expect(await predictionByArrival(db, row.arrival)).toMatchObject({ status: 'succeeded', output: '"hi"' })
})
