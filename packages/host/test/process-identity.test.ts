import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isAlive, startTime } from '@origami/host/process-identity'
import { expect, test } from 'vitest'

test('a process whose start cannot be read for want of open files does not count as gone', async () => {
  const program = [process.execPath, join(import.meta.dirname, 'no-open-files.mjs')]
  const us = [String(process.pid), startTime(process.pid) ?? '']
  const args = ['-c', 'ulimit -n 64 && exec "$@"', 'sh', ...program, ...us]
  const { stdout } = await promisify(execFile)('sh', args)
  const names = ['startTime', 'isAlive', 'signalGroup', 'family', 'processesWith']
  expect(JSON.parse(stdout)).toEqual(Object.fromEntries(names.map((name) => [name, 'EMFILE'])))
})

test('of a process that ended nothing is known, and it is not alive', () => {
  expect(startTime(999_999_999)).toBeUndefined()
  expect(isAlive({ pid: 999_999_999, started: '1' })).toBe(false)
})
