import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** How many rows are read at once while old ones are converted. */
const slice = 500

interface Old {
  arrival: number
  input: string
  output: string | null
}

/**
 * A prediction's cancel, deadline and instance become columns, its files become rows, and every query gets its index.
 */
export const predictionsAsTheyAreSent: Migration = {
  async up(db: Kysely<unknown>) {
    for (const column of ['sent_to', 'cancel_requested_at', 'deadline_at'])
      await db.schema.alterTable('predictions').addColumn(column, 'text').execute()
    await db.schema
      .createTable('prediction_files')
      .addColumn('prediction', 'integer', (column) =>
        column.notNull().references('predictions.arrival').onDelete('cascade'),
      )
      .addColumn('side', 'text', (column) => column.notNull())
      .addColumn('file', 'text', (column) => column.notNull())
      .addColumn('ref', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('one_row_per_file', ['prediction', 'side', 'file'])
      .execute()
    await fillFiles(db)
    await indexes(db)
  },
}

async function indexes(db: Kysely<unknown>): Promise<void> {
  const wanted: [string, string, string[]][] = [
    ['files_by_file', 'prediction_files', ['file']],
    ['predictions_of_demo', 'predictions', ['demo_id', 'status', 'arrival']],
    ['predictions_of_visitor', 'predictions', ['demo_id', 'visitor', 'arrival']],
    ['predictions_on_deployment', 'predictions', ['deployment', 'status']],
    ['predictions_by_end', 'predictions', ['completed_at']],
    ['deployments_by_state', 'deployments', ['state', 'created_at', 'id']],
    ['deployments_of_demo', 'deployments', ['demo_id', 'created_at', 'id']],
    ['events_of_demo', 'events', ['demo', 'seq']],
    ['events_by_time', 'events', ['at']],
  ]
  for (const [name, table, columns] of wanted) await db.schema.createIndex(name).on(table).columns(columns).execute()
}

/** Finds the files that older rows name. Their schemas may be gone, so every text in the form of a reference counts. */
async function fillFiles(db: Kysely<unknown>): Promise<void> {
  for (let after = 0; ; ) {
    const { rows } = await sql<Old>`
      SELECT arrival, input, output FROM predictions WHERE arrival > ${after} ORDER BY arrival LIMIT ${slice}`.execute(
      db,
    )
    for (const row of rows) {
      await fillSide(db, row.arrival, 'input', row.input)
      await fillSide(db, row.arrival, 'output', row.output ?? '')
    }
    const last = rows.at(-1)
    if (!last) return
    after = last.arrival
  }
}

async function fillSide(db: Kysely<unknown>, arrival: number, side: string, json: string): Promise<void> {
  for (const [ref, file] of json.matchAll(/files\/([A-Za-z0-9_-]{16,64})\/[^"/\\]+/g))
    await sql`INSERT INTO prediction_files (prediction, side, file, ref)
      VALUES (${arrival}, ${side}, ${file}, ${ref}) ON CONFLICT DO NOTHING`.execute(db)
}
