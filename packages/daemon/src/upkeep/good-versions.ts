import { activeStates, type DeploymentState } from '@origami/protocol/control'
import { manifestOf } from '../deploy/manifest.ts'
import type { DeployParts } from '../deploy/parts.ts'
import { demoById } from '../store/demos.ts'
import { deploymentById, note } from '../store/deployments.ts'
import { goodVersions } from '../store/good-versions.ts'
import type { Trx } from '../store/open.ts'
import { hasSucceeded } from '../store/predictions.ts'
import type { DeploymentRow } from '../store/tables.ts'
import { logged } from './logged.ts'

/** States whose image may be started, now or again. */
const keepsImage = new Set<DeploymentState>(['queued', ...activeStates, 'running', 'draining', 'stopped'])

/** Of a deployment in another state, an instance is nobody's. */
export const keepsInstance = (state: DeploymentState): boolean => state !== 'stopped' && keepsImage.has(state)

/** Notes that a version served well once it did: it completed a prediction, or answered READY and stayed so for its `ready_within`. */
export async function noteServedWell({ db, clock, now }: DeployParts, row: DeploymentRow): Promise<boolean> {
  if (row.served_well !== null) return true
  const stayed = row.ready_at !== null && clock() - Date.parse(row.ready_at) >= manifestOf(row).ready_within * 1000
  if (!stayed && !(await hasSucceeded(db, row.id))) return false
  return note(db, row, { served_well: now() })
}

/** Removes images that nothing will start: of versions that ended, but for what serves (or would) and the last few that served well. */
export async function pruneImages({ db, engine, limits }: DeployParts): Promise<void> {
  for (const { ref, deployment } of await engine.images()) {
    await logged(`the image ${ref} could not be removed`, async () => {
      const row = await deploymentById(db, deployment)
      if (row && (await keeps(db, row, limits.keepVersions))) return
      await engine.removeImage(ref)
      if (row?.image) await note(db, row, { image: null })
    })
  }
}

async function keeps(db: Trx, row: DeploymentRow, versions: number): Promise<boolean> {
  if (keepsImage.has(row.state) || (await demoById(db, row.demo_id))?.serving === row.id) return true
  if (row.state !== 'retired' || row.served_well === null) return false
  return (await goodVersions(db, row.demo_id, versions)).includes(row.id)
}
