import { join } from 'node:path'
import Database from 'better-sqlite3'

/** Stores so many predictions of the newest demo as if they had ended now. Their daemon is stopped meanwhile. */
export function fillPredictions(folder: string, count: number): void {
  const db = new Database(join(folder, 'daemon/daemon.db'))
  const demo = db.prepare('SELECT id FROM demos ORDER BY created_at DESC LIMIT 1').pluck().get()
  const insert = db.prepare(
    `INSERT INTO predictions (id, demo_id, visitor, status, input, output, last_seq, created_at, completed_at)
     VALUES (?, ?, ?, 'succeeded', '{"text":"x"}', '"x"', 1, ?, ?)`,
  )
  const now = new Date().toISOString()
  db.transaction(() => {
    for (let row = 0; row < count; row += 1) insert.run(crypto.randomUUID(), demo, `visitor-${row % 1000}`, now, now)
  })()
  db.close()
}
