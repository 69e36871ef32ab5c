import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Adds the images that a deployment was built on. Those of earlier deployments are not known. */
export const baseImages: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable('deployments')
      .addColumn('base_images', 'text', (column) => column.notNull().defaultTo('[]'))
      .execute()
  },
}
