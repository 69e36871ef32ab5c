import { expect, test } from 'vitest'
import { Wake } from '../../src/predictions/wake.ts'

test('a call ends one sleep, also one that begins later, and no more than one', async () => {
  const wake = new Wake()
  let slept = 0
  const sleeping = async () => {
    await wake.sleep()
    slept += 1
  }
  wake.wake()
  wake.wake()
  await sleeping()
  const second = sleeping()
  await Promise.resolve()
  expect(slept).toBe(1)
  wake.wake()
  await second
  expect(slept).toBe(2)
})
