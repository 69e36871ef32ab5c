import { expect, test } from 'vitest'
import { WaitingLine } from '../../src/runtime/pool/waiting-line.ts'
import { newRun } from './runs.ts'

const placesOf = async (runs: ReturnType<typeof newRun>[]) =>
  (await Promise.all(runs.map((run) => run.snapshot()))).map(({ queue }) => queue?.position)

test('who waits is told their place, also when somebody before them leaves or comes back', async () => {
  const line = new WaitingLine()
  const [first, second, third] = [newRun(), newRun(), newRun()]
  for (const run of [first, second, third]) line.join(run)
  expect(await placesOf([first, second, third])).toEqual([1, 2, 3])
  expect(line.find(() => true)).toBe(first)
  expect(line.remove(first)).toBe(true)
  expect(await placesOf([second, third])).toEqual([1, 2])
  line.joinInFront(first)
  expect(await placesOf([first, second, third])).toEqual([1, 2, 3])
  expect(line.remove(second)).toBe(true)
  expect(await placesOf([first, third])).toEqual([1, 2])
  expect(line.remove(first)).toBe(true)
  expect(await placesOf([third])).toEqual([1])
  expect([line.find((run) => run !== third), line.remove(third), line.length]).toEqual([undefined, true, 0])
})

test('who does not wait cannot leave, and an empty line has nobody', () => {
  const line = new WaitingLine()
  expect(line.remove(newRun())).toBe(false)
  expect(line.find(() => true)).toBeUndefined()
  const run = newRun()
  line.join(run)
  expect([line.takeAll(), line.length]).toEqual([[run], 0])
})
