import { activeStates } from '@origami/protocol/control'
import { type Kysely, sql } from 'kysely'
import type { Migration, MigrationProvider } from 'kysely/migration'
import { addressOfCaller } from './migrations-address.ts'
import { baseImages } from './migrations-base-images.ts'
import { oneSpellingOfCanceled } from './migrations-canceled.ts'
import { keptBytes } from './migrations-kept-bytes.ts'
import { indexesOfOpenPredictions } from './migrations-open-indexes.ts'
import { predictionsAsTheyAreSent } from './migrations-predictions.ts'
import { upkeep } from './migrations-upkeep.ts'

const first: Migration = {
  async up(db: Kysely<unknown>) {
    await createDemos(db)
    await createDeployments(db)
    await createEvents(db)
    await createPredictions(db)
  },
}

export const migrations: MigrationProvider = {
  getMigrations: async () => ({
    '001-first': first,
    '002-predictions': predictionsAsTheyAreSent,
    '003-upkeep': upkeep,
    '004-address': addressOfCaller,
    '005-canceled': oneSpellingOfCanceled,
    '006-open-indexes': indexesOfOpenPredictions,
    '009-base-images': baseImages,
    '009-kept-bytes': keptBytes,
  }),
}

async function createDemos(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('demos')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('repolink', 'text', (column) => column.notNull())
    .addColumn('want', 'text', (column) => column.notNull())
    .addColumn('serving', 'text')
    .addColumn('runs', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('created_at', 'text', (column) => column.notNull())
    .execute()
}

async function createDeployments(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('deployments')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('demo_id', 'text', (column) => column.notNull().references('demos.id'))
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('reason', 'text')
    .addColumn('attempt', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('commit_sha', 'text')
    .addColumn('commit_message', 'text')
    .addColumn('token', 'blob')
    .addColumn('manifest', 'text')
    .addColumn('image', 'text')
    .addColumn('instance', 'text')
    .addColumn('endpoint', 'text')
    .addColumn('schema', 'text')
    .addColumn('log_cursor', 'text')
    .addColumn('log_tail', 'text', (column) => column.notNull().defaultTo('[]'))
    .addColumn('steps', 'text', (column) => column.notNull().defaultTo('[]'))
    .addColumn('crashes', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('crashed_at', 'text')
    .addColumn('superseded_by', 'text')
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('updated_at', 'text', (column) => column.notNull())
    .addColumn('deadline_at', 'text')
    .execute()
  const active = sql.raw(activeStates.map((state) => `'${state}'`).join(', '))
  await sql`CREATE UNIQUE INDEX one_active ON deployments(demo_id) WHERE state IN (${active})`.execute(db)
  await sql`CREATE UNIQUE INDEX one_waiting ON deployments(demo_id) WHERE state = 'queued'`.execute(db)
}

async function createEvents(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('events')
    .addColumn('seq', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('demo', 'text', (column) => column.notNull())
    .addColumn('deployment', 'text')
    .addColumn('from_state', 'text')
    .addColumn('to_state', 'text', (column) => column.notNull())
    .addColumn('reason', 'text')
    .addColumn('at', 'text', (column) => column.notNull())
    .execute()
}

async function createPredictions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('predictions')
    .addColumn('arrival', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('demo_id', 'text', (column) => column.notNull().references('demos.id'))
    .addColumn('visitor', 'text')
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('input', 'text', (column) => column.notNull())
    .addColumn('output', 'text')
    .addColumn('error', 'text')
    .addColumn('reason', 'text')
    .addColumn('logs', 'text', (column) => column.notNull().defaultTo(''))
    .addColumn('predict_time', 'real')
    .addColumn('last_seq', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('deployment', 'text')
    .addColumn('commit_sha', 'text')
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('started_at', 'text')
    .addColumn('completed_at', 'text')
    .addUniqueConstraint('one_id_per_demo', ['demo_id', 'id'])
    .execute()
  await db.schema.createIndex('predictions_by_status').on('predictions').columns(['status', 'arrival']).execute()
}
