import { activeStates, deploymentStates, failedStates } from '@origami/protocol/control'
import type { DeploymentId } from '@origami/protocol/demo'
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest'
import type { ImageRef, InstanceId } from '../../src/engine/engine.ts'
import { failBroken } from '../../src/store/broken-deployments.ts'
import { routeOf, setServing } from '../../src/store/demos.ts'
import type { Change } from '../../src/store/deployment-documents.ts'
import { deploymentById, deploymentsByState, deploymentsOf } from '../../src/store/deployments.ts'
import { eventsAfter } from '../../src/store/events.ts'
import type { Db } from '../../src/store/open.ts'
import { addDeployment } from '../../src/store/waiting-deployments.ts'
import { addedDemo, at, demo, movedTo, openInMemory, rowOf } from './in-memory.ts'

const [image, instance] = ['image' as ImageRef, 'instance' as InstanceId]
const endpoint = 'http://127.0.0.1:1'
const token = Buffer.from('sealed')
/** Every column that a deployment may have. */
const all: Change = {
  ...{
    image,
    instance,
    endpoint,
    ready_at: at,
    token,
    deadline_at: at,
    reason: 'why',
    superseded_by: 'b' as DeploymentId,
  },
  ...{ commit_sha: 'c0ffee', commit_message: 'More', crash_times: [at], tries: 2, next_try_at: at, let_go: 1 },
}
/** The states of deployments that did not end. */
const open = ['queued', ...activeStates, 'running', 'draining'] as const

let db: Db
let id: DeploymentId
beforeEach(async () => {
  db = await openInMemory()
  id = (await addedDemo(db)).id
})
afterEach(() => db.destroy())

/** The keys that only some deployments have. */
async function own(state: (typeof deploymentStates)[number], change: Change): Promise<object> {
  const read = await movedTo(db, id, state, change)
  const { id: _id, demo_id, attempt, commit, manifest, schema, steps, log_cursor, log_tail, ...rest } = read
  const { served_well, base_images, created_at, updated_at, ...own } = rest
  return own
}

describe('a deployment has what belongs to its state, and no more', () => {
  const noted = { id: instance, reached: { endpoint, ready_at: at } }
  const active = { reason: null, deadline_at: at, interruptions: 0, let_go: true }
  const ended = { reason: 'why', image, instance: null }
  const rows = [
    ['queued', { reason: 'why', image, instance: noted, token, deadline_at: at, interruptions: 0 }],
    ['cloning', { ...active, image: null, instance: null }],
    ['validating', { ...active, image: null, instance: null }],
    ['building', { ...active, image, instance: null }],
    ['starting', { ...active, image, instance: noted }],
    ['health_checking', { ...active, image, instance: noted }],
    ['switching', { ...active, image, instance: noted }],
    ['running', { reason: 'why', image, instance: noted, crash_times: [at], put_off: { tries: 2, until: at } }],
    ['draining', { reason: null, image, instance: noted }],
    ...failedStates.map((state) => [state, ended] as const),
    ['canceled', ended],
    ['superseded', { ...ended, superseded_by: 'b' }],
    ['retired', ended],
    ['stopped', { ...ended, reason: null }],
  ] as const

  test.each(rows)('%s', async (state, expected) => {
    expect(await own(state, all)).toEqual({ state, ...expected })
  })

  test('and each state is one of these', () => {
    expect(rows.map(([state]) => state).toSorted()).toEqual(deploymentStates.toSorted())
  })
})

describe('a deployment that has only what its state needs', () => {
  test.each([
    ['queued', {}, { image: null, instance: null, token: null, deadline_at: null, interruptions: 0 }],
    ['building', {}, { image: null }],
    ['starting', { image }, { image, instance: null }],
    ['health_checking', { image, instance }, { instance: { id: instance, reached: null } }],
    ['running', { image }, { instance: null, put_off: null, crash_times: [], reason: null, schema: undefined }],
    ['running', { image, instance, endpoint }, { instance: { id: instance, reached: { endpoint, ready_at: null } } }],
    ['draining', { image }, { image, instance: null }],
    ['stopped', {}, { image: null }],
    ['retired', {}, { image: null, reason: null }],
    ['build_failed', {}, { image: null, reason: 'Why is not known' }],
  ] as const)('is %s with %j', async (state, change, expected) => {
    expect(await movedTo(db, id, state, change)).toMatchObject({ state, commit: null, ...expected })
  })

  test('has its commit before it has its message', async () => {
    expect(await movedTo(db, id, 'cloning', { commit_sha: 'c0ffee' })).toMatchObject({
      commit: { sha: 'c0ffee', message: null },
    })
  })
})

describe('a row that lacks what its state needs', () => {
  const broken = [
    ['starting', {}, 'as starting without its image'],
    ['health_checking', { image }, 'as health checking without its instance'],
    ['switching', { instance }, 'as switching without its image'],
    ['running', { instance, endpoint }, 'as running without its image'],
    ['draining', { instance }, 'as draining without its image'],
  ] as const
  let logged: MockInstance<typeof console.error>
  beforeEach(() => {
    logged = vi.spyOn(console, 'error').mockImplementation(() => {})
  })
  afterEach(() => logged.mockRestore())

  test.each(broken)('as %s with %j reads as failed, with why, and is told once', async (state, change, what) => {
    const read = await movedTo(db, id, state, change)
    const reason = `It was stored ${what}, and cannot be taken up like that; deploy it again`
    expect(read).toMatchObject({ state: 'runtime_error', reason, instance: null })
    await deploymentsOf(db, demo, 1)
    expect(logged.mock.calls).toEqual([
      [`store: deployment ${id} is stored ${what}; its demo is held until it is deployed again`],
    ])
  })

  test('or whose state nobody knows, reads as failed as well', async () => {
    await movedTo(db, id, 'sleeping' as never)
    expect(await deploymentById(db, id)).toMatchObject({
      state: 'runtime_error',
      reason:
        'It was stored as sleeping, which this version does not know, and cannot be taken up like that; deploy it again',
    })
  })

  test('reads as failed also when it ended, and is then left as it is', async () => {
    const read = await movedTo(db, id, 'superseded')
    expect(read).toMatchObject({ state: 'runtime_error', reason: expect.stringContaining('without its newer request') })
    expect(await failBroken(db, at)).toBe(0)
  })

  test('hides no other, is none of those of its state, and has no route', async () => {
    await movedTo(db, id, 'running', { instance, endpoint })
    await setServing(db, { id, demo_id: demo })
    const other = await addDeployment(db, demo, at, () => null)
    await movedTo(db, other, 'running', { image })
    expect((await deploymentsByState(db, ['running'])).map((row) => row.id)).toEqual([other])
    expect(await deploymentsOf(db, demo, 9)).toHaveLength(2)
    expect(await routeOf(db, demo)).toBeUndefined()
  })

  test.each(broken)('as %s with %j is ended at boot, so that its demo can be deployed again', async (state, change) => {
    await movedTo(db, id, state, change)
    const seen = (await eventsAfter(db, 0)).length
    expect(await failBroken(db, at)).toBe(1)
    const events = (await eventsAfter(db, 0)).slice(seen)
    expect(events).toMatchObject([{ deployment: id, from: state, to: 'runtime_error', reason: expect.any(String) }])
    expect((await rowOf(db, id)).steps.at(-1)).toEqual({ state: 'runtime_error', at })
    const next = await addDeployment(db, demo, at, () => null)
    expect((await movedTo(db, next, 'cloning')).state).toBe('cloning')
    expect(await failBroken(db, at)).toBe(0)
  })

  test('is the only one that is ended at boot', async () => {
    for (const state of open) {
      await movedTo(db, id, state, { image, instance })
      expect([state, await failBroken(db, at)]).toEqual([state, 0])
    }
    expect(logged.mock.calls).toEqual([])
  })
})
