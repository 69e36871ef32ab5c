import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * Adds how many bytes ended predictions keep, and uploads. Predictions are measured after their end, so that the end
 * itself costs one row of a small index more.
 */
export const keptBytes: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('predictions').addColumn('bytes', 'integer').execute()
    await db.schema
      .alterTable('demos')
      .addColumn('kept_bytes', 'integer', (column) => column.notNull().defaultTo(0))
      .execute()
    await db.schema
      .createTable('uploads')
      .addColumn('file', 'text', (column) => column.primaryKey())
      .addColumn('demo_id', 'text', (column) => column.notNull())
      .addColumn('bytes', 'integer', (column) => column.notNull())
      .addColumn('at', 'text', (column) => column.notNull())
      .execute()
    const wanted: [name: string, on: string][] = [
      ['unmeasured_predictions', 'predictions(demo_id, arrival) WHERE completed_at IS NOT NULL AND bytes IS NULL'],
      ['measured_predictions_of_demo', 'predictions(demo_id, arrival) WHERE bytes IS NOT NULL'],
      ['measured_predictions', 'predictions(completed_at) WHERE bytes IS NOT NULL'],
      ['uploads_by_time', 'uploads(at)'],
      ['uploads_of_demo', 'uploads(demo_id, bytes)'],
    ]
    for (const [name, on] of wanted) await sql.raw(`CREATE INDEX ${name} ON ${on}`).execute(db)
    await sql`CREATE TRIGGER bytes_of_deleted_prediction AFTER DELETE ON predictions WHEN old.bytes IS NOT NULL
      BEGIN UPDATE demos SET kept_bytes = kept_bytes - old.bytes WHERE id = old.demo_id; END`.execute(db)
  },
}
