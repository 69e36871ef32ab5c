import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DemoLifecycle } from '../../src/deploy/demo-lifecycle.ts'
import { deploy } from '../../src/deploy/deploy.ts'
import { DeploymentRunner } from '../../src/deploy/deployment-runner.ts'
import type { DeployParts } from '../../src/deploy/parts.ts'
import { Tasks } from '../../src/deploy/tasks.ts'
import { demoById, setServing, setWant } from '../../src/store/demos.ts'
import type { QueuedDeployment } from '../../src/store/deployment.ts'
import { deploymentById, note } from '../../src/store/deployments.ts'
import { eventsAfter } from '../../src/store/events.ts'
import { waitingOf } from '../../src/store/waiting-deployments.ts'
import { addedDemo, demo, movedTo, openInMemory, rowOf } from '../store/in-memory.ts'
import { deployParts } from './deploy-parts.ts'

let db: DeployParts['db']
beforeEach(async () => {
  db = await openInMemory()
})
afterEach(() => db.destroy())

const never = new AbortController().signal

/** A version that served, and waits for its start from its image. */
async function restarted(): Promise<QueuedDeployment> {
  const row = await addedDemo(db)
  await note(db, row, { image: 'i' as never })
  await setServing(db, row)
  const waiting = await waitingOf(db, demo)
  if (!waiting) throw new Error('nothing waits')
  return waiting
}

test('a demo that is stopped while its start fails stays stopped: it is not tried again later', async () => {
  const row = await restarted()
  const instancesOf = vi.fn(async () => [] as never[])
  const parts = deployParts(db, { engine: { instancesOf } })
  const lifecycle = new DemoLifecycle(parts, new DeploymentRunner(parts), async () => {})
  instancesOf.mockImplementationOnce(async () => {
    await lifecycle.stop(demo)
    throw new Error('the engine restarts')
  })
  await deploy(parts, row, never, () => {})
  expect(await rowOf(db, row.id)).toMatchObject({ state: 'stopped', image: 'i' })
})

test('a start of a demo that is stopped though its version says that it runs wants it on', async () => {
  const { id } = await restarted()
  await movedTo(db, id, 'running')
  await setWant(db, demo, 'stopped')
  const parts = deployParts(db)
  const runner = new DeploymentRunner(parts)
  await runner.shutDown()
  expect(await new DemoLifecycle(parts, runner, async () => {}).start(demo)).toBe(true)
  expect(await demoById(db, demo)).toMatchObject({ want: 'on' })
})

test('a deployment that begins while its cancel looks at it is canceled all the same', async () => {
  const { id } = await addedDemo(db)
  const cloning = Promise.withResolvers<void>()
  const fetch = async (_request: unknown, signal: AbortSignal) => {
    cloning.resolve()
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  }
  const parts = deployParts(db, { source: { fetch } })
  const runner = new DeploymentRunner(parts)
  // The cancel reads that the deployment waits. The deployment begins before the cancel writes.
  const canceling = db.transaction()
  vi.spyOn(canceling, 'execute').mockImplementationOnce(async (work) => {
    runner.wake()
    await cloning.promise
    return db.transaction().execute(work)
  })
  vi.spyOn(db, 'transaction').mockReturnValueOnce(canceling)
  expect(await runner.cancel(id)).toBe(true)
  expect(await deploymentById(db, id)).toMatchObject({ state: 'canceled' })
  await runner.shutDown()
})

test.each(['queued', 'cloning'] as const)(
  'what is %s is canceled with the stop itself, so that no crash after it leaves it to be gone on with',
  async (state) => {
    const { id } = await addedDemo(db)
    if (state !== 'queued') await movedTo(db, id, state)
    const parts = deployParts(db, { limits: { stopMs: 0 } })
    const runner = new DeploymentRunner(parts)
    vi.spyOn(runner, 'cancel').mockImplementation(() => new Promise(() => {}))
    await new DemoLifecycle(parts, runner, async () => {}).stop(demo)
    expect(await rowOf(db, id)).toMatchObject({ state: 'canceled', reason: 'the demo was stopped' })
  },
)

test('what is deployed or started while its demo is still being stopped is not ended with it', async () => {
  const { id } = await restarted()
  await movedTo(db, id, 'running')
  const ended: string[] = []
  const instance = { id: 'one', demo, deployment: id, state: 'running' }
  const engine = {
    instancesOf: async () => [instance],
    stop: async () => ended.push('one') > 0,
    remove: async () => true,
  }
  const tasks = new Tasks(never)
  const parts = deployParts(db, { engine, tasks, pumps: { drained: async () => {} } })
  const runner = new DeploymentRunner(parts)
  await runner.shutDown()
  const lifecycle = new DemoLifecycle(parts, runner, async () => {})
  vi.spyOn(tasks, 'end').mockImplementationOnce(async () => void (await lifecycle.start(demo)))
  await lifecycle.stop(demo)
  expect([ended, (await rowOf(db, id)).state]).toEqual([[], 'queued'])
})

test('a deployment that is requested of a stopped demo tells that it is on again, once', async () => {
  await addedDemo(db)
  const parts = deployParts(db)
  const runner = new DeploymentRunner(parts)
  await runner.shutDown()
  const lifecycle = new DemoLifecycle(parts, runner, async () => {})
  const link = 'https://folder.test/ann/y'
  const { demo: id } = await lifecycle.trigger('ann', link, null)
  await setWant(db, id, 'stopped')
  await lifecycle.trigger('ann', link, null)
  await lifecycle.trigger('ann', link, null)
  const events = (await eventsAfter(db, 0)).filter(({ to }) => to === 'on')
  expect(events).toMatchObject([{ demo: id, deployment: null, from: 'stopped', to: 'on', reason: null }])
})
