import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Kysely, SqliteDialect, type Transaction } from 'kysely'
import { Migrator } from 'kysely/migration'
import { migrations } from './migrations.ts'
import type { Tables } from './tables.ts'

export type Db = Kysely<Tables>
/** Inside a transaction use this alone, and wait for nothing but SQL. */
export type Trx = Transaction<Tables> | Db

/** Opens `daemon.db` in the folder and brings it to the present shape. What is committed survives a loss of power. */
export async function openStore(folder: string): Promise<Db> {
  const database = new Database(join(folder, 'daemon.db'))
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.pragma('foreign_keys = ON')
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) })
  const { error } = await new Migrator({ db, provider: migrations }).migrateToLatest()
  if (error) throw error
  return db
}
