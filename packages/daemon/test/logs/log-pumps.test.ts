import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DemoId, type DeploymentId, randomId } from '@origami/protocol/demo'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { defaultLimits } from '../../src/config.ts'
import type { Engine, InstanceId, LogCursor } from '../../src/engine/engine.ts'
import { ProcessEngine } from '../../src/engine/process/process-engine.ts'
import { DemoLogs } from '../../src/logs/demo-log.ts'
import { LogPumps } from '../../src/logs/log-pumps.ts'
import { type Db, openStore } from '../../src/store/open.ts'
import { instanceFolder } from './flood.ts'

const demo = '0123456789abcdef0123456789abcdef' as DemoId
const deployment = 'deployment1' as DeploymentId
const instance = 'one' as InstanceId

/**
 * Reads a log that is there, and breaks off after 10 lines, `breaks` times. Its instance exited, or runs and prints
 * nothing more.
 */
class BreakingEngine extends ProcessEngine {
  breaks = 0
  isQuiet = false
  readonly cursors: (LogCursor | undefined)[] = []

  override async *logs(...[id, after, signal]: Parameters<Engine['logs']>): ReturnType<Engine['logs']> {
    this.cursors.push(after)
    let read = 0
    for await (const line of super.logs(id, after, signal)) {
      if (this.breaks > 0 && read === 10) {
        this.breaks -= 1
        throw new Error('the stream broke off')
      }
      read += 1
      yield line
    }
  }
  override async find(): ReturnType<Engine['find']> {
    const known = { id: instance, demo, deployment, image: 'x' as never, endpoint: undefined }
    if (this.isQuiet) return { ...known, state: 'running' }
    const exit = { id: instance, code: 0, outOfMemory: false, at: new Date(0) }
    return { ...known, state: 'exited', exit }
  }
}

const lineBytes = 50_001
/** What a demo's log puts before a line. */
const beforeLine = '2026-11-24T12:00:00.123Z demo '

let folder: string
let db: Db
let engine: BreakingEngine
let logs: DemoLogs
let leaving: AbortController
let pumps: LogPumps
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-pumps-'))
  db = await openStore(folder)
  const row = { id: demo, user_id: 'ann', repolink: 'x', want: 'on' as const, created_at: '' }
  await db.insertInto('demos').values(row).execute()
  await db
    .insertInto('deployments')
    .values({ id: deployment, demo_id: demo, state: 'running', image: 'x' as never, created_at: '', updated_at: '' })
    .execute()
  engine = new BreakingEngine({ folder: join(folder, 'engine'), owner: randomId(), environment: process.env })
  await engine.ready()
  const written = await instanceFolder(1, 'x'.repeat(lineBytes - 1))
  await cp(written, join(folder, 'engine/instances/one'), { recursive: true })
  await rm(written, { recursive: true })
  logs = await DemoLogs.open(join(folder, 'logs'), { logBytes: 10 ** 9 })
  leaving = new AbortController()
  pumps = new LogPumps(db, engine, logs, defaultLimits, leaving.signal)
})
afterEach(async () => {
  leaving.abort()
  await pumps.ended()
  await db.destroy()
  await rm(folder, { recursive: true, force: true })
})

const lines = Math.ceil((1024 * 1024) / lineBytes)

async function linesInLog(): Promise<string[]> {
  const text: Buffer[] = []
  for await (const bytes of logs.read(demo, 0, false, leaving.signal)) text.push(Buffer.from(bytes))
  return Buffer.concat(text).toString('utf8').trimEnd().split('\n')
}

test('a log that breaks off is told and read on from there: no line is lost, none is twice', async () => {
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
  engine.breaks = 1
  pumps.start(deployment, instance)
  await pumps.ended()
  expect(await linesInLog()).toHaveLength(lines)
  expect(engine.cursors).toEqual([undefined, String(10 * lineBytes)])
  expect(logged).toHaveBeenCalledOnce()
  logged.mockRestore()
})

test('lines that could not be written are written anew though their instance prints no other', async () => {
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
  const append = vi.spyOn(logs, 'append').mockRejectedValueOnce(new Error('the disk is full'))
  engine.isQuiet = true
  pumps.start(deployment, instance)
  for await (const _bytes of logs.read(demo, 0, true, leaving.signal))
    if ((await logs.end(demo)) === lines * (lineBytes + beforeLine.length)) break
  expect(await linesInLog()).toHaveLength(lines)
  expect(engine.cursors).toEqual([undefined, undefined])
  expect(logged).toHaveBeenCalledOnce()
  append.mockRestore()
  logged.mockRestore()
})
