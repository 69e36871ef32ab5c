import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Adds the caller's address, because one person may be many visitors and the limit is counted by address. */
export const addressOfCaller: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('predictions').addColumn('address', 'text').execute()
  },
}
