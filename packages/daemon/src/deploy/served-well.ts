import { note } from '../store/deployments.ts'
import { hasSucceeded } from '../store/predictions.ts'
import type { DeploymentRow } from '../store/tables.ts'
import { manifestOf } from './manifest.ts'
import type { DeployParts } from './parts.ts'

/**
 * Notes that a version served well once it did: it completed a prediction, or answered READY and stayed so for its
 * `ready_within`.
 */
export async function noteServedWell({ db, clock, now }: DeployParts, row: DeploymentRow): Promise<boolean> {
  if (row.served_well !== null) return true
  const stayed = row.ready_at !== null && clock() - Date.parse(row.ready_at) >= manifestOf(row).ready_within * 1000
  if (!stayed && !(await hasSucceeded(db, row.id))) return false
  return note(db, row, { served_well: now() })
}
