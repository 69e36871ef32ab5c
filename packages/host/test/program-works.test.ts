import { expect, it } from 'vitest'
import { programWorks } from '../src/program-works.ts'

it('a program works when it ends well', async () => {
  expect(await programWorks(process.execPath, ['-e', ''])).toBe(true)
  expect(await programWorks(process.execPath, ['-e', 'process.exit(3)'])).toBe(false)
  expect(await programWorks('/no/such/program', [])).toBe(false)
})

it('one that is given up rejects with the reason', async () => {
  const reason = new Error('the daemon ends')
  await expect(
    programWorks(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { signal: AbortSignal.abort(reason) }),
  ).rejects.toBe(reason)
})
