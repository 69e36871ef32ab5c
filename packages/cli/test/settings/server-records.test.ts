import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startTime } from '@origami/host/process-identity'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  removeServerRecord,
  runningServers,
  type ServerRecord,
  writeServerRecord,
} from '../../src/settings/server-records.ts'

let data: string
beforeEach(async () => {
  data = join(await mkdtemp(join(tmpdir(), 'origami-records-')), 'data')
})
afterEach(() => rm(join(data, '..'), { recursive: true }))

const record = (verb: string, pid = process.pid): ServerRecord => ({
  verb,
  pid,
  settings: [{ name: 'port', value: '8000', from: 'default', live: false }],
  error: null,
  restart: [],
})

test('servers that run are told from their records, until they take them away', async () => {
  expect(await runningServers(data)).toEqual([])
  await writeServerRecord(data, record('web'))
  await writeServerRecord(data, record('daemon'))
  expect((await runningServers(data)).map(({ verb }) => verb).toSorted()).toEqual(['daemon', 'web'])
  await writeServerRecord(data, { ...record('web'), error: 'port: expected' })
  await removeServerRecord(data, 'daemon')
  await removeServerRecord(data, 'daemon')
  expect(await runningServers(data)).toEqual([{ ...record('web'), error: 'port: expected' }])
})

test('a server that was killed does not run, whatever it left', async () => {
  const ended = spawn('true')
  await once(ended, 'exit')
  await writeServerRecord(data, record('web', ended.pid))
  expect(await runningServers(data)).toEqual([])
})

test('a server whose process id is another process by now does not run', async () => {
  await writeServerRecord(data, { ...record('web'), started: '1' })
  expect(await runningServers(data)).toEqual([])
  await writeServerRecord(data, { ...record('web'), started: startTime(process.pid) })
  expect((await runningServers(data)).map(({ verb }) => verb)).toEqual(['web'])
})

test('what is no record is none, and hides none', async () => {
  await writeServerRecord(data, record('web'))
  for (const [name, text] of Object.entries({
    'half.json': '{"verb": "up", "pi',
    'empty.json': '',
    'everybody.json': JSON.stringify(record('up', -1)),
    'older.json': '{"verb": "up", "pid": 1}',
    'web.json.77.new': JSON.stringify(record('up')),
  }))
    await writeFile(join(data, 'in-force', name), text)
  expect(await runningServers(data)).toEqual([record('web')])
})

test('records are for their account alone', async () => {
  await writeServerRecord(data, record('web'))
  for (const path of ['in-force', 'in-force/web.json'])
    expect((await stat(join(data, path))).mode & 0o077, path).toBe(0)
})
