import { activeStates, type DeploymentState } from '@origami/protocol/control'
import type { DeployParts } from '../deploy/parts.ts'
import { logged } from '../logged.ts'
import { demoById } from '../store/demos.ts'
import type { Deployment } from '../store/deployment.ts'
import { deploymentById, note } from '../store/deployments.ts'
import { goodVersions } from '../store/good-versions.ts'
import type { Trx } from '../store/open.ts'

/** The states whose image may be started, now or later. */
const keepsImage = new Set<DeploymentState>(['queued', ...activeStates, 'running', 'draining', 'stopped'])

/** Whether a deployment in this state may have an instance. */
export const keepsInstance = (state: DeploymentState): boolean => state !== 'stopped' && keepsImage.has(state)

/**
 * Removes images that nothing will start: those of ended versions, except the serving one and the last few that served
 * well.
 */
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

async function keeps(db: Trx, row: Deployment, versions: number): Promise<boolean> {
  if (keepsImage.has(row.state) || (await demoById(db, row.demo_id))?.serving === row.id) return true
  if (row.state !== 'retired' || row.served_well === null) return false
  return (await goodVersions(db, row.demo_id, versions)).includes(row.id)
}
