import { openSqlite } from '@origami/host/sqlite'
import type { DeploymentState } from '@origami/protocol/control'
import type { DemoId } from '@origami/protocol/demo'
import { wantDemo } from '../../src/store/demos.ts'
import type { Deployment } from '../../src/store/deployment.ts'
import type { Change } from '../../src/store/deployment-documents.ts'
import { deploymentById, move } from '../../src/store/deployments.ts'
import { migrations } from '../../src/store/migrations.ts'
import type { Db } from '../../src/store/open.ts'
import type { Tables } from '../../src/store/tables.ts'
import { addDeployment } from '../../src/store/waiting-deployments.ts'

export const at = '2026-11-25T00:00:00.000Z'
export const demo = 'd'.repeat(32) as DemoId

/** The store as a daemon opens it, but in memory. */
export const openInMemory = (): Promise<Db> => openSqlite<Tables>(':memory:', { migrations, durable: false })

/** Adds a demo of ann's with a deployment that waits. */
export async function addedDemo(db: Db): Promise<Deployment> {
  await wantDemo(db, { id: demo, user_id: 'ann', repolink: 'https://folder.test/ann/x' }, at)
  return rowOf(db, await addDeployment(db, demo, at, () => null))
}

/** Moves a deployment to a state, with the values that are stored in that state. */
export async function movedTo(
  db: Db,
  id: Deployment['id'],
  state: DeploymentState,
  change: Change = {},
): Promise<Deployment> {
  await move(db, await rowOf(db, id), state, at, change)
  return rowOf(db, id)
}

export async function rowOf(db: Db, id: Deployment['id']): Promise<Deployment> {
  const row = await deploymentById(db, id)
  if (!row) throw new Error(`there is no deployment ${id}`)
  return row
}
