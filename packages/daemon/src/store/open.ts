import { join } from 'node:path'
import { openSqlite, type Sqlite } from '@origami/host/sqlite'
import type { Kysely } from 'kysely'
import { migrations } from './migrations.ts'
import type { Tables } from './tables.ts'

export type Db = Sqlite<Tables>
/**
 * Inside a transaction use only this, and wait for nothing but SQL. Transactions run one after another: what was
 * checked in one is true until its end.
 */
export type Trx = Kysely<Tables>

/** Opens `daemon.db` in the folder and migrates it to the current schema. Committed changes survive a power failure. */
export const openStore = (folder: string): Promise<Db> =>
  openSqlite<Tables>(join(folder, 'daemon.db'), { migrations, durable: true })
