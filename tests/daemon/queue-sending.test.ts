import type { DemoId } from '@origami/protocol/demo'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { detail } from '../../packages/daemon/src/api/demo-stats.ts'
import { openStore } from '../../packages/daemon/src/store/open.ts'
import { addPredictions, StoredQueue } from '../../packages/daemon/test/predictions/stored-queue.ts'
import { Commits } from '../statements.ts'
import { QueueBench } from './queue-bench.ts'
import { fileSchema, type ScriptedInstance } from './scripted-instance.ts'

let bench: QueueBench
let instance: ScriptedInstance
beforeEach(async () => {
  bench = await QueueBench.open({ cancelMs: 200 })
  instance = await bench.instance()
})
afterEach(async () => bench[Symbol.asyncDispose]())

const rowsChanged = async () => {
  const { rows } = await sql<{ count: number }>`SELECT total_changes() AS count`.execute(bench.db)
  return rows[0]?.count
}

describe('a prediction that no instance takes', () => {
  test('stays where it is in the queue, is tried again and again, and is not written at each try', async () => {
    instance.behave({ refuses: true })
    const demo = await bench.demo(instance)
    const prediction = await bench.submit(demo)
    await vi.waitFor(() => expect(instance.times('submit x')).toBeGreaterThan(1))
    const [before, tries] = [await rowsChanged(), instance.times('submit x')]
    await vi.waitFor(() => expect(instance.times('submit x')).toBeGreaterThan(tries + 3))
    expect(await rowsChanged()).toBe(before)
    expect(await prediction.snapshot()).toMatchObject({ status: 'starting', started_at: null, queue: { position: 1 } })
    instance.behave({ refuses: false })
    ;(await instance.run(prediction)).end()
    expect(await bench.ended(demo, prediction)).toMatchObject({ status: 'succeeded', output: { said: 'done' } })
  })

  test('has its instance looked at once that took longer than it may take to be ready', async () => {
    instance.behave({ refuses: true })
    const demo = await bench.demo(instance, { ready_within: 1 })
    await bench.submit(demo)
    const { serving } = await bench.db.selectFrom('demos').select('serving').executeTakeFirstOrThrow()
    await vi.waitFor(() => expect(bench.lookedAt).toContain(serving))
  })

  test('because it is full is tried again and again, and its instance is not looked at for that', async () => {
    let tries = 0
    instance.instead = (request, reply) => {
      if (request.method !== 'PUT') return undefined
      tries += 1
      return reply.status(429).send({ error: 'no room' })
    }
    const demo = await bench.demo(instance, { ready_within: 1 })
    const prediction = await bench.submit(demo)
    // With 40 ms between them they take longer than the instance may take to be ready.
    await vi.waitFor(() => expect(tries).toBeGreaterThan(40))
    expect(bench.lookedAt).toEqual([])
    instance.instead = undefined
    ;(await instance.run(prediction)).end()
    expect(await bench.ended(demo, prediction)).toMatchObject({ status: 'succeeded' })
  })

  const full = () => {
    const answer = { tries: 0 }
    instance.instead = (request, reply) => {
      if (request.method !== 'PUT') return undefined
      answer.tries += 1
      return reply.status(429).send({ error: 'no room' })
    }
    return async () => {
      const { tries } = answer
      await vi.waitFor(() => expect(answer.tries).toBeGreaterThan(tries + 2))
    }
  }

  test('because it is full for ever though nothing runs in it has it looked at, and ends when that did not help', async () => {
    const triedMore = full()
    const demo = await bench.demo(instance)
    const prediction = await bench.submit(demo)
    await triedMore()
    bench.ahead += 121_000
    await vi.waitFor(() => expect(bench.lookedAt).toHaveLength(1))
    expect(await bench.row(demo, prediction)).toMatchObject({ status: 'starting' })
    bench.ahead += 121_000
    expect(await bench.ended(demo, prediction)).toMatchObject({
      status: 'failed',
      reason: 'error',
      error: expect.stringContaining('no room'),
    })
  })

  test('because it is full for as long as others run in it waits for them, and its instance is left alone', async () => {
    const demo = await bench.demo(instance, {}, { ...fileSchema, concurrency: 2 })
    const first = await bench.submit(demo, { word: 'first' })
    const run = await instance.run(first)
    await vi.waitFor(async () => expect(await bench.row(demo, first)).toMatchObject({ status: 'processing' }))
    const triedMore = full()
    const second = await bench.submit(demo, { word: 'second' })
    for (const _ of ['once', 'twice', 'thrice']) {
      await triedMore()
      bench.ahead += 121_000
    }
    await triedMore()
    expect(bench.lookedAt).toEqual([])
    instance.instead = undefined
    run.end()
    ;(await instance.run(second)).end()
    expect(await bench.ended(demo, second)).toMatchObject({ status: 'succeeded' })
  })

  test('goes to the version that comes live meanwhile, and draining the old one does not wait for it', async () => {
    instance.behave({ refuses: true })
    const demo = await bench.demo(instance)
    const prediction = await bench.submit(demo)
    await vi.waitFor(() => expect(instance.times('submit x')).toBeGreaterThan(0))
    const newer = await bench.instance()
    const deployment = await bench.serve(demo, newer)
    ;(await newer.run(prediction)).end()
    expect(await bench.ended(demo, prediction)).toMatchObject({ status: 'succeeded', deployment })
  })

  test('because its stored schema cannot be read is held until the next deploy, and keeps no other back', async () => {
    const [broken, other] = [await bench.demo(instance), await bench.instance()]
    const held = await bench.submit(broken)
    const run = await instance.run(held)
    const waits = await bench.submit(broken, { word: 'waits' })
    await bench.db.updateTable('deployments').set({ schema: '{"api":2}' }).where('demo_id', '=', broken).execute()
    const demo = await bench.demo(other)
    const prediction = await bench.submit(demo)
    ;(await other.run(prediction)).end()
    expect(await bench.ended(demo, prediction)).toMatchObject({ status: 'succeeded' })
    await bench.flush()
    expect(await detail(bench.db, broken, { unisolated: undefined })).toMatchObject({
      status: 'running',
      schema: null,
      waiting: 1,
    })
    run.end()
    await bench.ended(broken, held)
    expect(await bench.row(broken, waits)).toMatchObject({ status: 'starting' })
    const newer = await bench.instance()
    await bench.serve(broken, newer)
    ;(await newer.run(waits)).end()
    expect(await bench.ended(broken, waits)).toMatchObject({ status: 'succeeded' })
  })

  test('does not keep those of other demos waiting', async () => {
    instance.behave({ refuses: true })
    await bench.submit(await bench.demo(instance))
    const other = await bench.instance()
    const demo = await bench.demo(other)
    const prediction = await bench.submit(demo)
    ;(await other.run(prediction)).end()
    expect(await bench.ended(demo, prediction)).toMatchObject({ status: 'succeeded' })
  })
})

describe('when the daemon goes away after it sent one and before it knows that it was taken', () => {
  let demo: DemoId
  let id: Parameters<QueueBench['ended']>[1]
  beforeEach(async () => {
    demo = await bench.demo(instance)
    instance.behave({ stallsSubmit: true })
    id = await bench.submit(demo)
    await instance.run(id)
    await bench.leave()
    instance.behave({ stallsSubmit: false })
  })

  test('the next daemon finds it there, and it is not sent again', async () => {
    await bench.start()
    ;(await instance.run(id)).end()
    expect(await bench.ended(demo, id)).toMatchObject({ status: 'succeeded' })
    expect(instance.times('submit x')).toBe(1)
  })

  test('it is found there also when another version is live by then', async () => {
    await bench.start()
    const newer = await bench.instance()
    await bench.serve(demo, newer)
    ;(await instance.run(id)).end()
    expect(await bench.ended(demo, id)).toMatchObject({ status: 'succeeded' })
    expect(newer.asked).toEqual([])
  })

  test('and that instance is gone, it is not run a second time', async () => {
    await instance.kill()
    await bench.start()
    const newer = await bench.instance()
    await bench.serve(demo, newer)
    const gone = { state: 'retired' as const, endpoint: null }
    await bench.db.updateTable('deployments').set(gone).where('endpoint', '=', instance.endpoint).execute()
    bench.changed.notify(demo)
    expect(await bench.ended(demo, id)).toMatchObject({ status: 'failed', reason: 'interrupted' })
    expect(newer.asked).toEqual([])
  })
})

test('one that runs when the daemon crashes, before that was stored, is found there and not sent again', async () => {
  const demo = await bench.demo(instance)
  const prediction = await bench.submit(demo)
  const run = await instance.run(prediction)
  await vi.waitFor(async () => expect(await prediction.snapshot()).toMatchObject({ status: 'processing' }))
  const stored = await bench.row(demo, prediction)
  await bench.crash()
  await bench.start()
  run.tell({ type: 'log', data: { source: 'stdout', data: 'working' } })
  const found = await (await bench.predictor(demo)).find(prediction.id)
  await vi.waitFor(async () => expect(await found?.snapshot()).toMatchObject({ logs: 'working' }))
  run.end()
  expect(await bench.ended(demo, prediction)).toMatchObject({ status: 'succeeded' })
  expect(instance.times('submit x')).toBe(1)
  expect(stored).toMatchObject({ status: 'starting', sent_to: instance.endpoint })
})

test('one that was stored with where it is sent, when the daemon crashes before it was sent, is sent once', async () => {
  const demo = await bench.demo(instance)
  await bench.leave()
  const db = await openStore(bench.folder)
  const prediction = StoredQueue.prediction(demo, 'ann', { input: '{"word":"x"}', sent_to: instance.endpoint })
  await addPredictions(db, [prediction])
  await db.destroy()
  await bench.start()
  ;(await instance.run(prediction.row)).end()
  expect(await bench.ended(demo, prediction.row)).toMatchObject({ status: 'succeeded' })
  expect(instance.times('submit x')).toBe(1)
})

describe('predictions one after the other', () => {
  test('wait for the disk when they arrive and when they end: the next one is sent with what stores the end before it', async () => {
    const demo = await bench.demo(instance)
    // What nobody waits for is stored after half a second, which a slow machine may reach.
    bench.neverStoreLater()
    const all = await Promise.all(Array.from({ length: 6 }, () => bench.submit(demo)))
    await vi.waitFor(() => expect(instance.times('submit x')).toBe(1))
    using commits = new Commits()
    for (const prediction of all) {
      ;(await instance.run(prediction)).end()
      await bench.ended(demo, prediction)
    }
    expect(commits.count).toBe(all.length)
  })
})

describe('a prediction that runs longer than it may', () => {
  const started = async (manifest: object) => {
    const demo = await bench.demo(instance, manifest)
    const prediction = await bench.submit(demo)
    const run = await instance.run(prediction)
    await vi.waitFor(async () => expect((await bench.row(demo, prediction))?.deadline_at).toEqual(expect.any(String)))
    return { demo, prediction, run }
  }
  const timedOut = { status: 'failed', reason: 'timeout', error: expect.stringContaining('longer than the 1 s') }

  test('ends as its demo says, with words, is canceled at its instance, and the next one runs', async () => {
    const { demo, prediction, run } = await started({ timeout: 1 })
    expect(await bench.ended(demo, prediction)).toMatchObject(timedOut)
    await vi.waitFor(() => expect(run.canceled).toBe(true))
    const next = await bench.submit(demo)
    ;(await instance.run(next)).end()
    expect(await bench.ended(demo, next)).toMatchObject({ status: 'succeeded' })
  })

  test('ends at the ceiling of the operator where its demo allows more', async () => {
    Object.assign(bench.limits, { predictionSeconds: 1 })
    const { demo, prediction } = await started({ timeout: 600 })
    expect(await bench.ended(demo, prediction)).toMatchObject(timedOut)
  })

  test('ends though its instance does not obey', async () => {
    instance.behave({ obeys: false })
    const { demo, prediction } = await started({ timeout: 1 })
    expect(await bench.ended(demo, prediction)).toMatchObject(timedOut)
    const next = await bench.submit(demo, { word: 'next' })
    await instance.run(next)
  })

  test('gets no more time by a restart of the daemon', async () => {
    const { demo, prediction, run } = await started({ timeout: 600 })
    const past = new Date(Date.now() - 1000).toISOString()
    await bench.db.updateTable('predictions').set({ deadline_at: past }).execute()
    await bench.leave()
    await bench.start()
    expect(await bench.ended(demo, prediction)).toMatchObject({ status: 'failed', reason: 'timeout' })
    await vi.waitFor(() => expect(run.canceled).toBe(true))
  })

  test('keeps its answer when that came in time, while the daemon was away', async () => {
    const { demo, prediction, run } = await started({ timeout: 600 })
    const past = new Date(Date.now() - 1000).toISOString()
    await bench.db.updateTable('predictions').set({ deadline_at: past }).execute()
    await bench.leave()
    run.end()
    await bench.start()
    expect(await bench.ended(demo, prediction)).toMatchObject({ status: 'succeeded' })
  })
})
