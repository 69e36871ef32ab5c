import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { sql } from 'kysely'
import type { MigrationProvider } from 'kysely/migration'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { openSqlite } from '../src/sqlite.ts'

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
