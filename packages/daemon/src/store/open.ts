import { join } from 'node:path'
import { openSqlite } from '@origami/host/sqlite'
import type { Kysely, Transaction } from 'kysely'
import { migrations } from './migrations.ts'
import type { Tables } from './tables.ts'

export type Db = Kysely<Tables>
/**
 * Inside a transaction use this alone, and wait for nothing but SQL. There is one connection, so transactions come one
 * after the other: what was checked in one holds to its end.
 */
export type Trx = Transaction<Tables> | Db

/** Opens `daemon.db` in the folder and brings it to the present shape. What is committed survives a loss of power. */
export const openStore = (folder: string): Promise<Db> =>
  openSqlite<Tables>(join(folder, 'daemon.db'), { migrations, durable: true })
