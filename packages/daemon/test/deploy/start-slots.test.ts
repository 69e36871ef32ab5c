import { expect, test } from 'vitest'
import { StartSlots } from '../../src/deploy/start-slots.ts'

const never = new AbortController().signal

test('one that takes very long keeps none of the others from starting, and goes on', async () => {
  const slots = new StartSlots({ deployments: 1, startSlotMs: 20 })
  const slow = Promise.withResolvers<string>()
  const first = slots.take('revive', never, () => slow.promise)
  expect(await slots.take('revive', never, async () => 'second')).toBe('second')
  slow.resolve('first')
  expect(await first).toBe('first')
})

test('who waits for a slot waits no longer than its signal, and what fails gives its slot back', async () => {
  const slots = new StartSlots({ deployments: 1, startSlotMs: 60_000 })
  const slow = Promise.withResolvers<string>()
  const first = slots.take('revive', never, () => slow.promise)
  const leaving = new AbortController()
  const second = slots.take('revive', leaving.signal, async () => 'second')
  leaving.abort(new Error('leaving'))
  await expect(second).rejects.toThrow('leaving')
  slow.reject(new Error('broken'))
  await expect(first).rejects.toThrow('broken')
  expect(await slots.take('deploy', never, async () => 'third')).toBe('third')
})
