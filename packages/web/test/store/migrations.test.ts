import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { Migrator } from 'kysely/migration'
import { expect, test } from 'vitest'
import { migrations } from '../../src/server/store/migrations.ts'
import { openStore } from '../../src/server/store/open.ts'
import { accountOfSession } from '../../src/server/store/sessions.ts'
import { tokenOf, tokensOf } from '../../src/server/store/tokens.ts'

const now = '2026-11-01T00:00:00.000Z'

test('tokens and sessions of before scopes keep what they could, and never expire', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'origami-migrations-'))
  try {
    const database = new Database(join(folder, 'web.db'))
    const before = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) })
    await new Migrator({ db: before, provider: migrations }).migrateTo('003-healing')
    database.prepare(`INSERT INTO accounts (id, handle, created_at) VALUES ('ann', 'ann', ?)`).run(now)
    database.prepare(`INSERT INTO sessions (hash, account, created_at) VALUES ('s', 'ann', ?)`).run(now)
    database
      .prepare(`INSERT INTO tokens (id, account, name, hash, created_at) VALUES ('1', 'ann', 'a', 't', ?)`)
      .run(now)
    await before.destroy()

    const db = await openStore(folder)
    expect(await tokensOf(db, 'ann')).toMatchObject([{ scopes: ['run', 'deploy', 'admin'], expires_at: null }])
    expect(await tokenOf(db, 't', '9999-01-01T00:00:00.000Z')).toMatchObject({ account: { handle: 'ann' } })
    expect(await accountOfSession(db, 's', '2026-10-01T00:00:00.000Z')).toMatchObject({ handle: 'ann' })
    await db.destroy()
  } finally {
    await rm(folder, { recursive: true })
  }
})
