import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DemoId, type DeploymentId, randomId } from '@origami/protocol/demo'
import { expect, test, vi } from 'vitest'
import { defaultLimits } from '../../src/config.ts'
import type { Engine, InstanceId, LogCursor } from '../../src/engine/engine.ts'
import { ProcessEngine } from '../../src/engine/process/process-engine.ts'
import { DemoLogs } from '../../src/logs/demo-log.ts'
import { LogPumps } from '../../src/logs/log-pumps.ts'
import { openStore } from '../../src/store/open.ts'
import { instanceFolder } from './flood.ts'

const demo = '0123456789abcdef0123456789abcdef' as DemoId
const deployment = 'deployment1' as DeploymentId
const instance = 'one' as InstanceId

/** Reads a log that is there, and breaks off after 10 lines, so many times. */
class BreakingEngine extends ProcessEngine {
  breaks = 0
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
    const exit = { id: instance, code: 0, outOfMemory: false, at: new Date(0) }
    return { id: instance, demo, deployment, image: 'x' as never, state: 'exited', endpoint: undefined, exit }
  }
}

test('a log that breaks off is told and read on from there: no line is lost, none is twice', async () => {
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
  const folder = await mkdtemp(join(tmpdir(), 'origami-pumps-'))
  const db = await openStore(folder)
  const row = { id: demo, user_id: 'ann', repolink: 'x', want: 'on' as const, created_at: '' }
  await db.insertInto('demos').values(row).execute()
  await db
    .insertInto('deployments')
    .values({ id: deployment, demo_id: demo, state: 'running', image: 'x' as never, created_at: '', updated_at: '' })
    .execute()
  const engine = new BreakingEngine({ folder: join(folder, 'engine'), owner: randomId(), environment: process.env })
  await engine.ready()
  const written = await instanceFolder(1, 'x'.repeat(50_000))
  await cp(written, join(folder, 'engine/instances/one'), { recursive: true })
  engine.breaks = 1
  const logs = await DemoLogs.open(join(folder, 'logs'), { logBytes: 10 ** 9 })
  const leaving = new AbortController()
  const pumps = new LogPumps(db, engine, logs, defaultLimits, leaving.signal)
  pumps.start(deployment, instance)
  await pumps.ended()
  const lines = Math.ceil((1024 * 1024) / 50_026)
  const text: Buffer[] = []
  for await (const bytes of logs.read(demo, 0, false, leaving.signal)) text.push(Buffer.from(bytes))
  expect(Buffer.concat(text).toString('utf8').trimEnd().split('\n')).toHaveLength(lines)
  expect(engine.cursors).toEqual([undefined, String(10 * 50_026)])
  expect(logged).toHaveBeenCalledOnce()
  logged.mockRestore()
  await db.destroy()
  for (const path of [folder, written]) await rm(path, { recursive: true, force: true })
})
