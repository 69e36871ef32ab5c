import { chmod, type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import {
  type CompiledQuery,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
} from 'kysely'
import { type MigrationProvider, Migrator } from 'kysely/migration'
import { unlessAbsent } from './absent-files.ts'
import { Checkpoints } from './checkpoints.ts'

interface Unblocking<Tables> {
  readonly connection: DirectConnection<Tables>
  readonly log: WriteAheadLog
  readonly checkpoints: Checkpoints
}

/** A database in a file. */
export class Sqlite<Tables> extends Kysely<Tables> {
  private readonly unblocking: Unblocking<Tables> | undefined

  constructor(database: Database.Database, isDurable: boolean) {
    super({ dialect: new TransactionalDialect({ database: preparingOnce(database, () => this.wrote()) }) })
    if (!isDurable || database.memory) return
    const log = new WriteAheadLog(database.name)
    const checkpoints = new Checkpoints({
      database: connect(database.name, 'OFF'),
      alone: (work) => this.connection().execute(work),
      logOnDisk: () => log.onDisk(),
    })
    const direct = connect(database.name, 'NORMAL')
    for (const each of [database, direct]) each.pragma('wal_autocheckpoint = 0')
    this.unblocking = { connection: new DirectConnection(direct, checkpoints.wrote), log, checkpoints }
  }

  /**
   * A transaction as durable as every other one, whose wait for the disk blocks nobody: others read what it changed
   * already, but it resolves only once that is on the disk. Throws NotOnDisk when the disk did not take it; what it
   * changed may be lost then, or not.
   */
  async unblockingTransaction<Result>(work: (trx: Kysely<Tables>) => Promise<Result>): Promise<Result> {
    const { unblocking } = this
    if (!unblocking) return this.transaction().execute(work)
    // Who has this connection keeps everybody else from changing anything meanwhile.
    const result = await this.connection().execute(() => unblocking.connection.inTransaction(work))
    await unblocking.log.onDisk()
    return result
  }

  private wrote(): void {
    this.unblocking?.checkpoints.wrote()
  }

  override async destroy(): Promise<void> {
    await this.unblocking?.checkpoints[Symbol.asyncDispose]()
    await super.destroy()
    await this.unblocking?.connection.destroy()
    await this.unblocking?.log[Symbol.asyncDispose]()
  }
}

/**
 * A connection of one user at a time, whose commits write to the log and do not wait for the disk. A compiled statement
 * runs on it without the layers of Kysely, which cost more than the statement.
 */
export class DirectConnection<Tables> extends Kysely<Tables> {
  private readonly statements: SqliteDatabase

  constructor(database: Database.Database, onWrite: () => void) {
    const statements = preparingOnce(database, onWrite)
    super({ dialect: new TransactionalDialect({ database: statements }) })
    this.statements = statements
  }

  run<Row>({ sql, parameters }: CompiledQuery<Row>): QueryResult<Row> {
    const statement = this.statements.prepare(sql)
    if (statement.reader) return { rows: statement.all(parameters) as Row[] }
    const { changes } = statement.run(parameters)
    return { rows: [], numAffectedRows: BigInt(changes) }
  }

  async inTransaction<Result>(work: (connection: this) => Promise<Result>): Promise<Result> {
    const run = (text: string) => this.statements.prepare(text).run([])
    run('begin')
    try {
      const result = await work(this)
      run('commit')
      return result
    } catch (error) {
      try {
        run('rollback')
      } catch {
        // Where the disk is full SQLite has rolled back already. The error that is thrown says so.
      }
      throw error
    }
  }
}

/** The disk did not take what was committed. */
export class NotOnDisk extends Error {
  override readonly name = 'NotOnDisk'
}

/** The file that commits are written to, as SQLite keeps it beside a database for as long as it is open. */
class WriteAheadLog implements AsyncDisposable {
  private readonly database: string
  private file: Promise<FileHandle> | undefined

  constructor(database: string) {
    this.database = database
  }

  /** Resolves once everything that was committed before is on the disk. Throws NotOnDisk. */
  async onDisk(): Promise<void> {
    try {
      this.file ??= this.open()
      await (await this.file).datasync()
    } catch (cause) {
      await this[Symbol.asyncDispose]()
      throw new NotOnDisk('what was stored may not be on the disk', { cause })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { file } = this
    this.file = undefined
    // One that could not be opened needs no closing.
    await file?.then((opened) => opened.close()).catch(() => undefined)
  }

  private async open(): Promise<FileHandle> {
    const folder = await open(dirname(this.database))
    await folder.sync().finally(() => folder.close())
    return open(`${this.database}-wal`, 'r+')
  }
}

/**
 * Opens a database file, made when it does not exist, and migrates it to the current schema. `durable`: committed
 * changes survive a power failure, and not only a crash. Throws when a migration fails. The database is then as it was
 * before all of them.
 */
export async function openSqlite<Tables>(
  path: string,
  { migrations, durable }: { migrations: MigrationProvider; durable: boolean },
): Promise<Sqlite<Tables>> {
  await keepPrivate(path)
  const database = connect(path, durable ? 'FULL' : undefined)
  const migrating = new Kysely<Tables>({ dialect: new TransactionalDialect({ database }) })
  const { error } = await new Migrator({ db: migrating, provider: migrations }).migrateToLatest()
  if (error) {
    await migrating.destroy()
    throw error
  }
  return new Sqlite<Tables>(database, durable)
}

/** Makes a database, and what SQLite keeps beside it, readable by this user alone. SQLite makes those as the first. */
async function keepPrivate(path: string): Promise<void> {
  if (path === ':memory:') return
  await (await open(path, 'a', 0o600)).close()
  for (const file of [path, `${path}-wal`, `${path}-shm`]) await chmod(file, 0o600).catch(unlessAbsent(undefined))
}

function connect(path: string, synchronous?: 'FULL' | 'NORMAL' | 'OFF'): Database.Database {
  const database = new Database(path)
  database.pragma('journal_mode = WAL')
  if (synchronous) database.pragma(`synchronous = ${synchronous}`)
  database.pragma('foreign_keys = ON')
  database.function('lower', { deterministic: true }, lower)
  return database
}

/** Statements that are ready to run again, at most. A query with a list has one for each length of the list. */
const preparedAtMost = 500

/**
 * The database with each statement prepared once for all its runs: preparing costs more than most runs do. `onWrite` is
 * called before each run of one that writes.
 */
function preparingOnce(database: Database.Database, onWrite: () => void): SqliteDatabase {
  const prepared = new Map<string, Database.Statement<readonly unknown[]>>()
  return {
    prepare(text) {
      const statement = prepared.get(text) ?? database.prepare(text)
      // The one that was used last stands last.
      prepared.delete(text)
      prepared.set(text, statement)
      const [oldest] = prepared.size > preparedAtMost ? prepared.keys() : []
      if (oldest !== undefined) prepared.delete(oldest)
      if (!statement.readonly) onWrite()
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

/**
 * SQLite rolls back changes of tables with their transaction, which Kysely's dialect does not assume. Where the disk is
 * full it has rolled back before it is asked to, and the error that says so must not be replaced by that.
 */
class TransactionalDialect extends SqliteDialect {
  override createDriver(): Driver {
    const driver = super.createDriver()
    const rollback = driver.rollbackTransaction.bind(driver)
    driver.rollbackTransaction = (connection) =>
      rollback(connection).catch((error: unknown) => {
        if (!/no transaction is active/.test(String(error))) throw error
      })
    return driver
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalAdapter()
  }
}

class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): true {
    return true
  }
}
