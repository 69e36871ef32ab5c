import Database from 'better-sqlite3'

const statement: Database.Statement = Object.getPrototypeOf(new Database(':memory:').prepare('select 1'))

/** Every distinct statement that any store of this process prepares, until it is disposed. */
export class Statements implements Disposable {
  readonly all = new Set<string>()
  /** How often any of them was run. */
  count = 0
  private readonly prepare = Database.prototype.prepare
  private readonly run = { run: statement.run, all: statement.all }

  constructor() {
    const { prepare, run } = this
    const note = (text: string) => void this.all.add(text)
    const counted = () => {
      this.count += 1
    }
    Database.prototype.prepare = function (this: Database.Database, text: string) {
      note(text)
      return prepare.call(this, text)
    } as typeof prepare
    statement.run = function (this: Database.Statement, ...parameters: unknown[]) {
      counted()
      return run.run.apply(this, parameters)
    }
    statement.all = function (this: Database.Statement, ...parameters: unknown[]) {
      counted()
      return run.all.apply(this, parameters)
    }
  }

  [Symbol.dispose](): void {
    Database.prototype.prepare = this.prepare
    Object.assign(statement, this.run)
  }
}

/** Counts the transactions that any store of this process commits, until it is disposed. */
export class Commits implements Disposable {
  count = 0
  private readonly run = statement.run

  constructor() {
    const { run } = this
    const counted = (text: string) => {
      if (/^\s*commit/i.test(text)) this.count += 1
    }
    statement.run = function (this: Database.Statement, ...parameters: unknown[]) {
      counted(this.source)
      return run.apply(this, parameters)
    }
  }

  [Symbol.dispose](): void {
    statement.run = this.run
  }
}

/**
 * Which of the statements read a table from its first row to its last, though it may have many: `<table>: <statement>`.
 * `small`: tables of which that is right.
 */
export function scansOf(path: string, statements: Iterable<string>, small: readonly string[]): string[] {
  const database = new Database(path, { readonly: true })
  try {
    return [...statements]
      .filter(mayScan)
      .flatMap((text) => scannedBy(database, text, small).map((table) => `${table}: ${text}`))
  } finally {
    database.close()
  }
}

/** Whether a statement is neither a migration nor a question which tables there are. */
const mayScan = (text: string): boolean =>
  /^\s*(select|insert|update|delete|with)\b/i.test(text) && !text.includes('"sqlite_master"')

function scannedBy(database: Database.Database, text: string, small: readonly string[]): string[] {
  const plan = database.prepare(`EXPLAIN QUERY PLAN ${text}`)
  const parameters = Array.from(text.matchAll(/\?/g), () => null)
  const rows = plan.all(...parameters) as { detail: string }[]
  return rows
    .flatMap(({ detail }) => /^SCAN (?!CONSTANT|\d|\(|pragma_|sqlite_|kysely_)"?(\w+)/.exec(detail)?.[1] ?? [])
    .filter((table) => !small.includes(table))
}
