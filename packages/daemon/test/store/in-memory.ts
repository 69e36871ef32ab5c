import { openSqlite } from '@origami/host/sqlite'
import type { DeploymentState } from '@origami/protocol/control'
import type { DemoId } from '@origami/protocol/demo'
import { wantDemo } from '../../src/store/demos.ts'
import { deploymentById, move } from '../../src/store/deployments.ts'
import { migrations } from '../../src/store/migrations.ts'
import type { Db } from '../../src/store/open.ts'
import type { DeploymentRow, Tables } from '../../src/store/tables.ts'
import { addDeployment } from '../../src/store/waiting-deployments.ts'

export const at = '2026-11-25T00:00:00.000Z'
export const demo = 'd'.repeat(32) as DemoId

/** The store as a daemon opens it, but in memory. */
export const openInMemory = (): Promise<Db> => openSqlite<Tables>(':memory:', { migrations, durable: false })

/** A demo of ann's, with a deployment that waits. */
export async function addedDemo(db: Db): Promise<DeploymentRow> {
  await wantDemo(db, { id: demo, user_id: 'ann', repolink: 'https://folder.test/ann/x' }, at)
  return rowOf(db, await addDeployment(db, demo, at, () => null))
}

/** The row of a deployment, moved to a state. */
export async function movedTo(db: Db, id: DeploymentRow['id'], state: DeploymentState): Promise<DeploymentRow> {
  await move(db, await rowOf(db, id), state, at)
  return rowOf(db, id)
}

export async function rowOf(db: Db, id: DeploymentRow['id']): Promise<DeploymentRow> {
  const row = await deploymentById(db, id)
  if (!row) throw new Error(`there is no deployment ${id}`)
  return row
}
