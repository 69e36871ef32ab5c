import type { DeploymentId } from '@origami/protocol/demo'
import { expect, test, vi } from 'vitest'
import { Tasks } from '../../src/deploy/tasks.ts'

const [one, two] = ['one', 'two'] as [DeploymentId, DeploymentId]
const never = new AbortController().signal

/** Runs until its signal aborts. */
const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

test('one task at most runs for a deployment, and the next may begin once it has ended', async () => {
  const tasks = new Tasks(never)
  const first = Promise.withResolvers<void>()
  const began: string[] = []
  const start = (id: DeploymentId, name: string, work = Promise.resolve()) =>
    tasks.start(id, () => {
      began.push(name)
      return work
    })
  expect(start(one, 'first', first.promise)).toBe(true)
  expect(start(one, 'too early')).toBe(false)
  expect(start(two, 'of another')).toBe(true)
  expect(tasks.has(one)).toBe(true)
  first.resolve()
  await tasks.done(one)
  expect(tasks.has(one)).toBe(false)
  expect(start(one, 'second')).toBe(true)
  await tasks.settled()
  expect(began).toEqual(['first', 'of another', 'second'])
})

test('to end a task aborts it alone, and waits until it has ended', async () => {
  const tasks = new Tasks(never)
  const order: string[] = []
  const finishing = Promise.withResolvers<void>()
  tasks.start(one, async (signal) => {
    await untilAborted(signal)
    await finishing.promise
    order.push('ended')
  })
  let isOtherAborted = false
  tasks.start(two, async (signal) => {
    await untilAborted(signal)
    isOtherAborted = true
  })
  const ending = tasks.end(one).then(() => order.push('told'))
  finishing.resolve()
  await ending
  expect([order, isOtherAborted, tasks.has(two)]).toEqual([['ended', 'told'], false, true])
  await tasks.end(two)
})

test('to end what does not run is done at once', async () => {
  await new Tasks(never).end(one)
})

test('when the daemon leaves all tasks are aborted, and it is settled once the last has ended', async () => {
  const leaving = new AbortController()
  const tasks = new Tasks(leaving.signal)
  for (const id of [one, two]) tasks.start(id, untilAborted)
  leaving.abort()
  await tasks.settled()
  expect([tasks.has(one), tasks.has(two)]).toEqual([false, false])
})

test('a task that fails is logged with its deployment, and makes room for the next', async () => {
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
  const tasks = new Tasks(never)
  tasks.start(one, () => Promise.reject(new Error('the disk is full')))
  await tasks.done(one)
  expect(tasks.has(one)).toBe(false)
  expect(String(logged.mock.calls[0]?.[0])).toContain('deployment one could not be looked after')
  logged.mockRestore()
})
