import { copyFile, mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { Slices, serverSliceMs } from '@origami/host/slices'
import { FolderFiles } from '@origami/serving'
import Database from 'better-sqlite3'
import { defaultLimits } from '../../packages/daemon/src/config.ts'
import { sweepOld } from '../../packages/daemon/src/predictions/retention.ts'
import { openStore } from '../../packages/daemon/src/store/open.ts'
import { atMost, type Row } from '../measured.ts'
import { temporaryFolder } from '../servers/temporary-folder.ts'
import type { Part } from './part.ts'

const full = { rows: 200_000, files: 20_000 }
const quick = { rows: 20_000, files: 2_000 }
const day = 86_400_000
const output = JSON.stringify('x'.repeat(2000))

/**
 * The milliseconds of each slice: by the clock, which includes the disk and other programs, and the work of this
 * thread.
 */
interface Times {
  readonly wall: number[]
  readonly work: number[]
}

class TimedSlices extends Slices {
  constructor({ wall, work }: Times) {
    let [isStart, start, worked] = [true, 0, 0]
    super({
      sliceMs: serverSliceMs,
      clock: () => {
        const [now, { user, system }] = [performance.now(), process.threadCpuUsage()]
        const cpu = (user + system) / 1000
        if (isStart) [start, worked] = [now, cpu]
        else {
          wall.push(now - start)
          work.push(cpu - worked)
        }
        isStart = !isStart
        return now
      },
    })
  }
}

/**
 * How long sweeping holds up everybody else, who have their turn between two slices of it. Half of all rows and files
 * are past their time.
 */
export const sweepPart: Part = {
  name: 'sweep',
  about: `how long removing half of ${full.rows} results, as many events and ${full.files} uploads holds up everybody else`,
  async open({ isQuick, say }, opened) {
    const { rows, files } = isQuick ? quick : full
    const template = opened.use(await temporaryFolder())
    await (await openStore(template.path)).destroy()
    fill(join(template.path, 'daemon.db'), rows)
    return async () => {
      await using folder = await temporaryFolder()
      await copyFile(join(template.path, 'daemon.db'), join(folder.path, 'daemon.db'))
      await upload(join(folder.path, 'files'), files)
      return { rows: await sweep(folder.path, say) }
    }
  },
}

async function sweep(folder: string, say: (line: string) => void): Promise<Row[]> {
  const db = await openStore(folder)
  const times: Times = { wall: [], work: [] }
  const stored = new FolderFiles(join(folder, 'files'), { maxFileBytes: () => 1_000_000 })
  const begun = performance.now()
  await sweepOld({ db, files: stored, limits: defaultLimits, slices: new TimedSlices(times) }, Date.now())
  say(`  ${times.wall.length} slices in ${((performance.now() - begun) / 1000).toFixed(1)} s`)
  await db.destroy()
  say(describe('by the clock', times.wall))
  say(describe('of work', times.work))
  const most = partOf(times.wall, 1)
  const whole = atOnce(join(folder, 'daemon.db'))
  say(`  one statement that removes as many results: ${whole.toFixed(0)} ms`)
  return [{ part: 'sweep', what: 'the longest slice of a sweep', unit: 'ms', ours: most, goal: atMost(20) }]
}

function describe(what: string, times: readonly number[]): string {
  const parts = [0.5, 0.99, 0.999, 1].map((part) => `p${100 * part} ${partOf(times, part).toFixed(1)}`)
  const over = times.filter((time) => time > 10).length
  return `  ms ${what}: ${parts.join(', ')}; over 10 ms: ${((100 * over) / times.length).toFixed(2)} %`
}

function partOf(times: readonly number[], part: number): number {
  return times.toSorted((a, b) => a - b)[Math.ceil(part * times.length) - 1] ?? 0
}

/** Half of the rows are older than the limit, and the others are new. */
function fill(path: string, count: number): void {
  const db = new Database(path)
  const values = { count, output, now: new Date().toISOString(), old: new Date(Date.now() - 400 * day).toISOString() }
  const numbers = `WITH RECURSIVE numbers (number) AS (
    SELECT 0 UNION ALL SELECT number + 1 FROM numbers WHERE number < :count - 1
  ), times (number, at) AS (SELECT number, iif(number < :count / 2, :old, :now) FROM numbers)`
  db.pragma('synchronous = OFF')
  db.prepare(
    "INSERT INTO demos (id, user_id, repolink, want, created_at) VALUES ('demo', 'ann', 'link', 'on', :now)",
  ).run(values)
  db.prepare(
    `${numbers} INSERT INTO predictions (
       id, demo_id, visitor, status, input, output, last_seq, created_at, completed_at
     ) SELECT 'id-' || number, 'demo', 'visitor-' || (number % 1000), 'succeeded', '{"text":"x"}', :output, 1, at, at
     FROM times`,
  ).run(values)
  db.prepare(`${numbers} INSERT INTO events (demo, to_state, at) SELECT 'demo', 'running', at FROM times`).run(values)
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.close()
}

async function upload(folder: string, files: number): Promise<void> {
  const old = new Date(Date.now() - 400 * day)
  for (let file = 0; file < files; file += 1) {
    const path = join(folder, file.toString(16).padStart(16, '0'))
    await mkdir(path, { recursive: true })
    await writeFile(join(path, 'sketch.png'), 'x')
    if (file % 2 === 0) await utimes(path, old, old)
  }
}

function atOnce(path: string): number {
  const db = new Database(path)
  db.pragma('synchronous = FULL')
  const begun = performance.now()
  db.prepare('DELETE FROM predictions').run()
  const took = performance.now() - begun
  db.close()
  return took
}
