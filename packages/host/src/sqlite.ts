import Database from 'better-sqlite3'
import { Kysely, SqliteAdapter, SqliteDialect } from 'kysely'
import { type MigrationProvider, Migrator } from 'kysely/migration'

/**
 * Opens a database file, made when it is not there, and brings it to its present shape. `durable`: what is committed
 * survives a loss of power, not only a crash. Throws when a migration fails; the database is then as it was before all
 * of them.
 */
export async function openSqlite<Tables>(
  path: string,
  { migrations, durable }: { migrations: MigrationProvider; durable: boolean },
): Promise<Kysely<Tables>> {
  const database = new Database(path)
  database.pragma('journal_mode = WAL')
  if (durable) database.pragma('synchronous = FULL')
  database.pragma('foreign_keys = ON')
  database.function('lower', { deterministic: true }, lower)
  const db = new Kysely<Tables>({ dialect: new TransactionalDialect({ database }) })
  const { error } = await new Migrator({ db, provider: migrations }).migrateToLatest()
  if (error) {
    await db.destroy()
    throw error
  }
  return db
}

/** Whether the database refused a statement because a row that it names is not there. */
export const isMissingReference = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'SQLITE_CONSTRAINT_FOREIGNKEY'

/** In small letters, as `lower` of every statement has it: SQLite's own knows those of English alone. */
export const lower = (text: unknown): unknown => (typeof text === 'string' ? text.normalize('NFC').toLowerCase() : text)

/** SQLite takes changes of tables back with their transaction; Kysely's dialect does not count on it. */
class TransactionalDialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new TransactionalAdapter()
  }
}

class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): true {
    return true
  }
}
