import Database from 'better-sqlite3'
import { Kysely, SqliteAdapter, type SqliteDatabase, SqliteDialect, type SqliteStatement } from 'kysely'
import { type MigrationProvider, Migrator } from 'kysely/migration'

/**
 * Opens a database file, made when it does not exist, and migrates it to the current schema. `durable`: committed
 * changes survive a power failure, and not only a crash. Throws when a migration fails. The database is then as it was
 * before all of them.
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
  const migrating = new Kysely<Tables>({ dialect: new TransactionalDialect({ database }) })
  const { error } = await new Migrator({ db: migrating, provider: migrations }).migrateToLatest()
  if (error) {
    await migrating.destroy()
    throw error
  }
  return new Kysely<Tables>({ dialect: new TransactionalDialect({ database: preparingOnce(database) }) })
}

/** Statements that are ready to run again, at most. A query with a list has one for each length of the list. */
const preparedAtMost = 500

/** The database with each statement prepared once for all its runs: preparing costs more than most runs do. */
function preparingOnce(database: Database.Database): SqliteDatabase {
  const prepared = new Map<string, SqliteStatement>()
  return {
    prepare(text) {
      const statement = prepared.get(text) ?? database.prepare(text)
      // The one that was used last stands last.
      prepared.delete(text)
      prepared.set(text, statement)
      const [oldest] = prepared.size > preparedAtMost ? prepared.keys() : []
      if (oldest !== undefined) prepared.delete(oldest)
      return statement
    },
    close: () => void database.close(),
  }
}

/** Whether the database refused a statement because a row that it refers to does not exist. */
export const isMissingReference = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'SQLITE_CONSTRAINT_FOREIGNKEY'

/** Lower-cases a text as `lower` does in every statement. SQLite's own function knows English letters only. */
const lower = (text: unknown): unknown => (typeof text === 'string' ? text.normalize('NFC').toLowerCase() : text)

/** SQLite rolls back changes of tables with their transaction, which Kysely's dialect does not assume. */
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
