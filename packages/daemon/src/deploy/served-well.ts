import type { DrainingDeployment, RunningDeployment } from '../store/deployment.ts'
import { note } from '../store/deployments.ts'
import { hasSucceeded } from '../store/results.ts'
import { manifestOf } from './manifest.ts'
import type { DeployParts } from './parts.ts'

/** Stores that a version served well: it completed a prediction, or answered READY for all of its `ready_within`. */
export async function noteServedWell(
  { db, clock, now }: DeployParts,
  row: RunningDeployment | DrainingDeployment,
): Promise<boolean> {
  if (row.served_well !== null) return true
  const ready_at = row.instance?.reached?.ready_at ?? null
  const stayed = ready_at !== null && clock() - Date.parse(ready_at) >= manifestOf(row).ready_within * 1000
  if (!stayed && !(await hasSucceeded(db, row.id))) return false
  return note(db, row, { served_well: now() })
}
