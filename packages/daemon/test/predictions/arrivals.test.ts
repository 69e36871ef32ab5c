import { type DemoId, Full, Gone, randomId } from '@origami/protocol/demo'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Changes } from '../../src/changes.ts'
import { defaultLimits } from '../../src/config.ts'
import { Arrivals } from '../../src/predictions/arrivals.ts'
import { OpenPredictions } from '../../src/predictions/open-predictions.ts'
import { Turns } from '../../src/predictions/turns/turns.ts'
import { Commits } from '../../src/store/commits.ts'
import { setWant } from '../../src/store/demos.ts'
import { openPredictions } from '../../src/store/open-predictions.ts'
import { addPredictions, StoredQueue } from './stored-queue.ts'

const { prediction } = StoredQueue
let stored: StoredQueue
let demo: DemoId
beforeAll(async () => {
  stored = await StoredQueue.open()
})
beforeEach(async () => {
  demo = await stored.demo()
})
afterAll(async () => stored[Symbol.asyncDispose]())

const arrivals = (limits = {}) => {
  const changed = new Changes()
  const open = new OpenPredictions(stored.db, changed)
  const all = { ...defaultLimits, ...limits }
  const parts = { db: stored.db, commits: new Commits(stored.db), changed, open, turns: new Turns(open, all) }
  return new Arrivals({ ...parts, limits: all })
}

describe('of predictions that arrive together are admitted', () => {
  /** For each one why it was refused, or `in`. */
  const answers = async (arriving: readonly ReturnType<typeof prediction>[]) => {
    const taking = arrivals({ waiting: 3, waitingPerVisitor: 2, waitingPerAddress: 2 })
    const all = await Promise.allSettled(arriving.map((one) => taking.add(one)))
    return all.map((one) =>
      one.status === 'rejected' ? one.reason.message.match(/of yours|from your address|wait for/)?.[0] : 'in',
    )
  }

  test('the first until the demo has no place left', async () => {
    const arriving = ['ann', 'bob', 'cas', 'dan'].map((visitor) => prediction(demo, visitor))
    expect(await answers(arriving)).toEqual(['in', 'in', 'in', 'wait for'])
  })

  test('no more of one visitor than one may have, and the others all the same', async () => {
    const arriving = ['ann', 'ann', 'ann', 'bob'].map((visitor) => prediction(demo, visitor))
    expect(await answers(arriving)).toEqual(['in', 'in', 'of yours', 'in'])
  })

  test('no more of one address, whatever visitors they are', async () => {
    const arriving = ['ann', 'bob', 'cas'].map((visitor) => prediction(demo, visitor, { address: 'x' }))
    expect(await answers([...arriving, prediction(demo, 'dan')])).toEqual(['in', 'in', 'from your address', 'in'])
  })

  test('as many as those leave room for that wait already; what runs takes none', async () => {
    const waiting = [prediction(demo, 'ann'), prediction(demo, 'bob')]
    await addPredictions(stored.db, [...waiting, prediction(demo, 'cas', { status: 'processing' })])
    expect(await answers([prediction(demo, 'cas'), prediction(demo, 'dan')])).toEqual(['in', 'wait for'])
  })

  test('those whose id is there already, and they take no place', async () => {
    const full = ['ann', 'bob', 'cas'].map((visitor) => prediction(demo, visitor))
    await addPredictions(stored.db, full)
    expect(await answers([...full, prediction(demo, 'dan')])).toEqual(['in', 'in', 'in', 'wait for'])
  })

  test('for each demo by itself', async () => {
    const other = await stored.demo()
    const arriving = [demo, demo, demo, other].map((id, index) => prediction(id, `visitor-${index}`))
    expect(await answers([...arriving, prediction(demo, 'late')])).toEqual(['in', 'in', 'in', 'in', 'wait for'])
  })
})

describe('what arrives in one turn', () => {
  test('is stored in its order', async () => {
    const taking = arrivals()
    const numbers = await Promise.all(['ann', 'bob', 'cas'].map((visitor) => taking.add(prediction(demo, visitor))))
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    expect((await openPredictions(stored.db, demo)).map(({ visitor }) => visitor)).toEqual(['ann', 'bob', 'cas'])
  })

  test('is refused one by one where no place is left, and the rest is stored', async () => {
    const taking = arrivals({ waiting: 1 })
    const [first, second] = await Promise.allSettled(
      ['ann', 'bob'].map((visitor) => taking.add(prediction(demo, visitor))),
    )
    expect([first?.status, second?.status]).toEqual(['fulfilled', 'rejected'])
    expect(second).toMatchObject({ reason: expect.any(Full) })
    expect(await openPredictions(stored.db, demo)).toHaveLength(1)
  })

  test('is stored though the demo of one of them was removed, which alone fails', async () => {
    const taking = arrivals()
    const removed = taking.add(prediction(randomId() as DemoId, 'ann'))
    const others = taking.add(prediction(demo, 'bob'))
    await expect(removed).rejects.toThrow(Gone)
    expect(await others).toBeGreaterThan(0)
  })

  test('while its demo was stopped is refused, so that it does not wait for ever, and what is there already is joined', async () => {
    const taking = arrivals()
    const there = prediction(demo, 'ann')
    const arrival = await taking.add(there)
    await setWant(stored.db, demo, 'stopped')
    const answers = await Promise.allSettled([taking.add(there), taking.add(prediction(demo, 'bob'))])
    expect(answers).toMatchObject([
      { status: 'fulfilled', value: arrival },
      { status: 'rejected', reason: new Gone('This demo is stopped.') },
    ])
    expect(await openPredictions(stored.db, demo)).toHaveLength(1)
  })

  test('and has one id is one prediction', async () => {
    const taking = arrivals()
    const twice = prediction(demo, 'ann')
    const [first, second] = await Promise.all([taking.add(twice), taking.add({ ...twice })])
    expect(second).toBe(first)
    expect(await taking.add(twice)).toBe(first)
  })
})
