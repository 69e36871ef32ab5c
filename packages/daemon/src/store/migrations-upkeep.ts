import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Adds when versions crashed, served well and are tried again, and how often the daemon died while working on them. */
export const upkeep: Migration = {
  async up(db: Kysely<unknown>) {
    const add = db.schema.alterTable('deployments')
    await add.addColumn('crash_times', 'text', (column) => column.notNull().defaultTo('[]')).execute()
    await add.addColumn('ready_at', 'text').execute()
    await add.addColumn('served_well', 'text').execute()
    await add.addColumn('tries', 'integer', (column) => column.notNull().defaultTo(0)).execute()
    await add.addColumn('next_try_at', 'text').execute()
    await add.addColumn('interruptions', 'integer', (column) => column.notNull().defaultTo(0)).execute()
    await add.addColumn('let_go', 'integer', (column) => column.notNull().defaultTo(0)).execute()
  },
}
