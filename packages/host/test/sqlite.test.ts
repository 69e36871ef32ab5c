import { chmod, mkdtemp, open, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { sql } from 'kysely'
import type { MigrationProvider } from 'kysely/migration'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { NotOnDisk, openSqlite, type Sqlite } from '../src/sqlite.ts'

interface Tables {
  demos: { id: string }
}
const first: MigrationProvider = {
  getMigrations: async () => ({
    '001-demos': {
      up: (db) =>
        db.schema
          .createTable('demos')
          .addColumn('id', 'text', (id) => id.primaryKey())
          .execute(),
    },
  }),
}
const broken: MigrationProvider = {
  getMigrations: async () => ({
    ...(await first.getMigrations()),
    '002-broken': {
      up: async (db) => {
        await sql`delete from demos`.execute(db)
        throw new Error('no room')
      },
    },
  }),
}

let path: string
beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'origami-sqlite-')), 'test.db')
})
afterEach(() => rm(join(path, '..'), { recursive: true, force: true }))

it('a database keeps what is in it, and one that cannot be migrated is as it was before', async () => {
  const db = await openSqlite<Tables>(path, { migrations: first, durable: true })
  await db.insertInto('demos').values({ id: 'digits' }).execute()
  await db.destroy()
  await expect(openSqlite<Tables>(path, { migrations: broken, durable: true })).rejects.toThrow('no room')
  const reopened = await openSqlite<Tables>(path, { migrations: first, durable: false })
  expect(await reopened.selectFrom('demos').selectAll().execute()).toEqual([{ id: 'digits' }])
  await reopened.destroy()
})

it('a database and what stands beside it can be read by their user alone, also one that others could read before', async () => {
  const folder = join(path, '..')
  const modes = async () =>
    Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).mode & 0o777))
  const made = await openSqlite<Tables>(path, { migrations: first, durable: true })
  await made.insertInto('demos').values({ id: 'digits' }).execute()
  expect(await modes()).toEqual([0o600, 0o600, 0o600])
  await made.destroy()
  await chmod(path, 0o644)
  const reopened = await openSqlite<Tables>(path, { migrations: first, durable: false })
  await reopened.insertInto('demos').values({ id: 'more' }).execute()
  expect(await modes()).toEqual([0o600, 0o600, 0o600])
  await reopened.destroy()
})

it('prepares a statement once for all its runs, and again once 500 others came after it', async () => {
  const db = await openSqlite<Tables>(path, { migrations: first, durable: false })
  const prepare = vi.spyOn(Database.prototype, 'prepare')
  const count = (text: string) => prepare.mock.calls.filter(([prepared]) => prepared === text).length
  try {
    const ask = (id: string) => db.selectFrom('demos').select('id').where('id', '=', id).compile()
    for (const id of ['a', 'b', 'c']) await db.executeQuery(ask(id))
    expect(count(ask('a').sql)).toBe(1)
    for (let other = 0; other < 500; other += 1) await sql.raw(`select ${other}`).execute(db)
    expect(await db.executeQuery(ask('a'))).toMatchObject({ rows: [] })
    expect(count(ask('a').sql)).toBe(2)
  } finally {
    prepare.mockRestore()
    await db.destroy()
  }
})

describe('a transaction whose wait for the disk blocks nobody', () => {
  /** What each wait for the disk does, until the test is over. */
  const onDisk = async (wait: () => Promise<void>) => {
    const file = await open(path, 'w')
    await file.close()
    return vi
      .spyOn(Object.getPrototypeOf(file) as { datasync: () => Promise<void> }, 'datasync')
      .mockImplementation(wait)
  }
  afterEach(() => void vi.restoreAllMocks())

  it('ends once it is on the disk, while others read and write', async () => {
    const disk = Promise.withResolvers<void>()
    const waits = await onDisk(() => disk.promise)
    const db = await openSqlite<Tables>(path, { migrations: first, durable: true })
    const ended = vi.fn()
    const storing = db.unblockingTransaction((trx) => trx.insertInto('demos').values({ id: 'digits' }).execute())
    void storing.then(ended)
    await vi.waitFor(() => expect(waits).toHaveBeenCalledOnce())
    await db.insertInto('demos').values({ id: 'faces' }).execute()
    expect(await db.selectFrom('demos').select('id').orderBy('id').execute()).toEqual([
      { id: 'digits' },
      { id: 'faces' },
    ])
    expect(ended).not.toHaveBeenCalled()
    // Every other commit waits by itself, as before.
    expect((await sql<{ synchronous: number }>`PRAGMA synchronous`.execute(db)).rows).toEqual([{ synchronous: 2 }])
    disk.resolve()
    await storing
    await db.destroy()
  })

  it('is not known to be stored where the disk did not take it, and the next one is', async () => {
    const waits = await onDisk(async () => {
      throw new Error('the disk is away')
    })
    const db = await openSqlite<Tables>(path, { migrations: first, durable: true })
    const add = (id: string) => db.unblockingTransaction((trx) => trx.insertInto('demos').values({ id }).execute())
    await expect(add('a')).rejects.toBeInstanceOf(NotOnDisk)
    waits.mockRestore()
    await add('b')
    await db.destroy()
    const reopened = await openSqlite<Tables>(path, { migrations: first, durable: false })
    expect((await reopened.selectFrom('demos').select('id').execute()).map(({ id }) => id)).toContain('b')
    await reopened.destroy()
  })

  it('changes nothing when it fails', async () => {
    const db = await openSqlite<Tables>(path, { migrations: first, durable: true })
    const failing = db.unblockingTransaction(async (trx) => {
      await trx.insertInto('demos').values({ id: 'a' }).execute()
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await db.selectFrom('demos').selectAll().execute()).toEqual([])
    expect((await sql<{ synchronous: number }>`PRAGMA synchronous`.execute(db)).rows).toEqual([{ synchronous: 2 }])
    await db.destroy()
  })
})

describe('the log of a durable database', () => {
  const insert = (db: Sqlite<Tables>, id: string) => db.insertInto('demos').values({ id }).execute()
  /** Rows of about twenty pages. */
  const long = 'x'.repeat(40_000)

  it('is emptied before it is long, and what was in it is kept', async () => {
    const db = await openSqlite<Tables>(path, { migrations: first, durable: true })
    for (let row = 0; row < 300; row += 1) await insert(db, `${row} ${long}`)
    expect((await stat(`${path}-wal`)).size).toBeLessThan(3000 * 4096)
    expect((await stat(path)).size).toBeGreaterThan(4000 * 4096)
    await db.destroy()
    const reopened = await openSqlite<Tables>(path, { migrations: first, durable: true })
    expect(await sql`select count(*) as rows from demos`.execute(reopened)).toMatchObject({ rows: [{ rows: 300 }] })
    await reopened.destroy()
  })

  it('is never emptied by a write, and nothing is written until what was in it is on the disk', async () => {
    const db = await openSqlite<Tables>(path, { migrations: first, durable: true })
    const emptied = Promise.withResolvers<void>()
    const file = await open(path)
    await file.close()
    let waits = 0
    const isEmptying = Promise.withResolvers<void>()
    vi.spyOn(Object.getPrototypeOf(file) as { datasync: () => Promise<void> }, 'datasync').mockImplementation(() => {
      waits += 1
      if (waits === 2) isEmptying.resolve()
      return waits === 2 ? emptied.promise : Promise.resolve()
    })
    expect(await sql`pragma wal_autocheckpoint`.execute(db)).toMatchObject({ rows: [{ wal_autocheckpoint: 0 }] })
    const filling = (async () => {
      for (let row = 0; row < 100; row += 1) await insert(db, `${row} ${long}`)
    })()
    await isEmptying.promise
    let isWritten = false
    const writing = insert(db, 'late').then(() => (isWritten = true))
    await nextTurn()
    expect(isWritten).toBe(false)
    emptied.resolve()
    await Promise.all([writing, filling])
    vi.restoreAllMocks()
    await db.destroy()
  })
})

it.each([true, false])(
  'a transaction for which the disk is full says so, and the next one works (durable: %s)',
  async (durable) => {
    const db = await openSqlite<Tables>(path, { migrations: first, durable })
    try {
      const { rows } = await sql<{ page_count: number }>`PRAGMA page_count`.execute(db)
      const bounded = (pages: number) => sql`PRAGMA max_page_count = ${sql.lit(pages)}`.execute(db)
      await bounded(rows[0]?.page_count ?? 0)
      const add = (id: string) => db.transaction().execute((trx) => trx.insertInto('demos').values({ id }).execute())
      await expect(add('a'.repeat(100_000))).rejects.toMatchObject({ code: 'SQLITE_FULL' })
      await bounded(10_000)
      await add('b')
      expect(await db.selectFrom('demos').selectAll().execute()).toEqual([{ id: 'b' }])
    } finally {
      await db.destroy()
    }
  },
)
