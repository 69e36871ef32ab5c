import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * What is asked of open predictions, or of those that succeeded, has an index of those alone: a prediction that begins
 * changes no index, and one that ends leaves two small ones.
 */
export const indexesOfOpenPredictions: Migration = {
  async up(db: Kysely<unknown>) {
    const replaced = ['predictions_by_status', 'predictions_of_demo', 'predictions_on_deployment', 'predictions_by_end']
    for (const name of replaced) await db.schema.dropIndex(name).execute()
    const isOpen = `status IN ('starting', 'processing')`
    const wanted: [name: string, columns: string, which: string][] = [
      ['open_predictions_of_demo', 'demo_id, arrival', isOpen],
      ['open_predictions_on_deployment', 'deployment', isOpen],
      ['succeeded_predictions_of_demo', 'demo_id, arrival', `status = 'succeeded'`],
      ['succeeded_predictions_on_deployment', 'deployment', `status = 'succeeded'`],
      ['predictions_by_end', 'completed_at', 'completed_at IS NOT NULL'],
    ]
    for (const [name, columns, which] of wanted)
      await sql.raw(`CREATE INDEX ${name} ON predictions(${columns}) WHERE ${which}`).execute(db)
  },
}
