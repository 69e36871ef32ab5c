import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { Slices, serverSliceMs } from '@origami/host/slices'
import { FolderFiles } from '@origami/serving'
import Database from 'better-sqlite3'
import { defaultLimits } from '../packages/daemon/src/config.ts'
import { sweepOld } from '../packages/daemon/src/predictions/retention.ts'
import { openStore } from '../packages/daemon/src/store/open.ts'

const rows = 200_000
const files = 20_000
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

if (process.argv.includes('--help'))
  console.log(`npm run bench:sweep
How long sweeping holds up everybody else, who have their turn between two slices of it: of ${rows} results
with 2 kB of output each, ${rows} events and ${files} uploads, half are past their time. Tells the slices, beside one
statement that removes as many results at once. Only the ratios mean anything: machines differ, and are noisy.`)
else await bench()

async function bench(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'origami-bench-'))
  try {
    const db = await openStore(folder)
    fill(join(folder, 'daemon.db'))
    await upload(join(folder, 'files'))
    const times: Times = { wall: [], work: [] }
    const stored = new FolderFiles(join(folder, 'files'), { maxFileBytes: () => 1_000_000 })
    const begun = performance.now()
    await sweepOld({ db, files: stored, limits: defaultLimits, slices: new TimedSlices(times) }, Date.now())
    const took = performance.now() - begun
    await db.destroy()
    console.log(`${times.wall.length} slices in ${(took / 1000).toFixed(1)} s`)
    const longest = tell('by the clock', times.wall)
    tell('of work', times.work)
    const whole = atOnce(join(folder, 'daemon.db'))
    console.log(
      `${rows / 2} results at once: ${whole.toFixed(0)} ms, the longest slice is 1/${(whole / longest).toFixed(0)}`,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function tell(what: string, times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.ceil(part * sorted.length) - 1] ?? 0
  const parts = [0.5, 0.99, 0.999, 1].map((part) => `p${100 * part} ${at(part).toFixed(1)}`)
  const over = sorted.filter((time) => time > 10).length
  console.log(`ms ${what}: ${parts.join(', ')}; over 10 ms: ${((100 * over) / sorted.length).toFixed(2)} %`)
  return at(1)
}

/** Half of the rows are older than the limit, and the others are new. */
function fill(path: string): void {
  const db = new Database(path)
  const [now, old] = [new Date().toISOString(), new Date(Date.now() - 400 * day).toISOString()]
  db.prepare("INSERT INTO demos (id, user_id, repolink, want, created_at) VALUES ('demo', 'ann', 'link', 'on', ?)").run(
    now,
  )
  const prediction = db.prepare(
    `INSERT INTO predictions (id, demo_id, visitor, status, input, output, last_seq, created_at, completed_at)
     VALUES (?, 'demo', ?, 'succeeded', '{"text":"x"}', ?, 1, ?, ?)`,
  )
  const event = db.prepare("INSERT INTO events (demo, to_state, at) VALUES ('demo', 'running', ?)")
  db.transaction(() => {
    for (let row = 0; row < rows; row += 1) {
      const at = row < rows / 2 ? old : now
      prediction.run(`id-${row}`, `visitor-${row % 1000}`, output, at, at)
      event.run(at)
    }
  })()
  db.close()
}

async function upload(folder: string): Promise<void> {
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
