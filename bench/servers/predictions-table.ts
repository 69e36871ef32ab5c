import { join } from 'node:path'
import Database from 'better-sqlite3'

/**
 * Stores so many predictions of the newest demo as if they had ended now, one in ten of them made by whoever made the
 * newest of its predictions. Their daemon is stopped meanwhile.
 */
export function fillPredictions(folder: string, count: number): void {
  const db = new Database(fileOf(folder))
  const demo = db.prepare('SELECT id FROM demos ORDER BY created_at DESC LIMIT 1').pluck().get()
  const visitor = db
    .prepare('SELECT visitor FROM predictions WHERE demo_id = ? ORDER BY arrival DESC LIMIT 1')
    .pluck()
    .get(demo)
  const stored = db.prepare('SELECT max(arrival) FROM predictions').pluck().get()
  db.pragma('synchronous = OFF')
  // In KiB: indexes are filled in memory, since so many are not filled in the order of their rows.
  db.pragma('cache_size = -1000000')
  db.prepare(
    `WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < :count)
     INSERT INTO predictions (id, demo_id, visitor, status, input, output, last_seq, created_at, completed_at)
     SELECT printf('%032x', number + :stored), :demo,
       CASE number % 10 WHEN 0 THEN :visitor ELSE 'visitor-' || (number % 1000) END,
       'succeeded', '{"text":"x"}', '"x"', 1, :now, :now FROM numbers`,
  ).run({ count, stored, demo, visitor, now: new Date().toISOString() })
  // What the daemon opens is what it would have after a while: all of it in the database itself.
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.close()
}

/** How the predictions of a running daemon stand. */
export class PredictionsTable implements Disposable {
  private readonly db: Database.Database

  constructor(folder: string) {
    this.db = new Database(fileOf(folder), { readonly: true })
  }

  /** How many wait or run. */
  open(): number {
    return Number(this.db.prepare('SELECT count(*) FROM predictions WHERE completed_at IS NULL').pluck().get())
  }

  /** When each of these ended, in milliseconds since 1970, of those that have. */
  ends(ids: readonly string[]): number[] {
    const end = this.db.prepare('SELECT completed_at FROM predictions WHERE id = ?').pluck()
    return ids.map((id) => Date.parse(String(end.get(id)))).filter((at) => !Number.isNaN(at))
  }

  /** In the order in which they came to the daemon. */
  byArrival(ids: readonly string[]): string[] {
    const arrival = this.db.prepare('SELECT arrival FROM predictions WHERE id = ?').pluck()
    const arrivals = new Map(ids.map((id) => [id, Number(arrival.get(id))]))
    return ids.toSorted((a, b) => (arrivals.get(a) ?? 0) - (arrivals.get(b) ?? 0))
  }

  [Symbol.dispose](): void {
    this.db.close()
  }
}

const fileOf = (folder: string): string => join(folder, 'daemon/daemon.db')
