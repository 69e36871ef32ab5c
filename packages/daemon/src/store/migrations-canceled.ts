import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Deployments spelled this state differently from predictions. Now both use the spelling of predictions. */
export const oneSpellingOfCanceled: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`UPDATE deployments SET state = 'canceled' WHERE state = 'cancelled'`.execute(db)
    await sql`UPDATE deployments SET reason = 'canceled' WHERE reason = 'cancelled'`.execute(db)
    await sql`UPDATE deployments SET steps = replace(steps, '"state":"cancelled"', '"state":"canceled"')
      WHERE steps LIKE '%"state":"cancelled"%'`.execute(db)
    for (const column of ['from_state', 'to_state', 'reason'])
      await sql`UPDATE events SET ${sql.ref(column)} = 'canceled' WHERE ${sql.ref(column)} = 'cancelled'`.execute(db)
  },
}
