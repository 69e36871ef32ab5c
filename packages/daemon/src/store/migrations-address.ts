import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What one address has waiting is counted, since one person may be many visitors. */
export const addressOfCaller: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('predictions').addColumn('address', 'text').execute()
  },
}
