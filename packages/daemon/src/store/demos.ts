import type { DemoId, DemoSchema, Manifest } from '@origami/protocol/demo'
import type { NotNull } from 'kysely'
import { runCompiled } from './compiled.ts'
import type { Attempt } from './deployment.ts'
import { storedManifest, storedSchema } from './deployment-documents.ts'
import { deploymentById } from './deployments.ts'
import type { Db, Trx } from './open.ts'
import type { DemoRow, StoredDeployment } from './tables.ts'

/** Stores a demo as wanted on, whether it is new or known. */
export async function wantDemo(
  trx: Trx,
  demo: Pick<DemoRow, 'id' | 'user_id' | 'repolink'>,
  now: string,
): Promise<void> {
  await trx
    .insertInto('demos')
    .values({ ...demo, want: 'on', created_at: now })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ want: 'on' }))
    .execute()
}

/** All demos, oldest first. */
export async function allDemos(db: Db): Promise<DemoRow[]> {
  return db.selectFrom('demos').selectAll().orderBy('created_at').execute()
}

/** Stores what a demo's owner wants. */
export async function setWant(trx: Trx, id: DemoId, want: DemoRow['want']): Promise<void> {
  await trx.updateTable('demos').set({ want }).where('id', '=', id).execute()
}

/** Stores that this deployment answers for its demo. */
export async function setServing(trx: Trx, { id, demo_id }: Pick<Attempt, 'id' | 'demo_id'>): Promise<void> {
  await trx.updateTable('demos').set({ serving: id }).where('id', '=', demo_id).execute()
}

/** Deletes a demo with everything that belongs to it, its events included. */
export async function deleteDemo(trx: Trx, id: DemoId): Promise<void> {
  await trx.deleteFrom('predictions').where('demo_id', '=', id).execute()
  await trx.deleteFrom('deployments').where('demo_id', '=', id).execute()
  await trx.deleteFrom('demos').where('id', '=', id).execute()
  await trx.deleteFrom('events').where('demo', '=', id).execute()
}

export async function demoById(db: Trx, id: DemoId): Promise<DemoRow | undefined> {
  return db.selectFrom('demos').selectAll().where('id', '=', id).executeTakeFirst()
}

/** Whether its owner stopped the demo. */
export async function isStopped(db: Trx, id: DemoId): Promise<boolean> {
  return (await demoById(db, id))?.want === 'stopped'
}

/** Counts so many more runs of a demo. */
export async function addRuns(trx: Trx, id: DemoId, count: number): Promise<void> {
  const query = () =>
    trx
      .updateTable('demos')
      .set((eb) => ({ runs: eb('runs', '+', count) }))
      .where('id', '=', id)
  await runCompiled(trx, 'add runs', [count, id], query)
}

export async function demoIds(db: Trx): Promise<DemoId[]> {
  return (await db.selectFrom('demos').select('id').execute()).map(({ id }) => id)
}

/**
 * Where a demo's predictions go now: the endpoint and schema of the serving deployment. Undefined: the demo is held, as
 * it is when the row cannot be read.
 */
export interface Route {
  readonly demo: DemoId
  readonly deployment: Pick<StoredDeployment, 'id' | 'commit_sha'>
  readonly endpoint: string
  readonly schema: DemoSchema
  readonly times: Pick<Manifest, 'ready_within' | 'timeout'>
}

/** The route of every demo that has one. */
export async function routes(db: Trx): Promise<ReadonlyMap<DemoId, Route>> {
  const rows = await servingVersions(db).execute()
  return new Map(rows.flatMap(toRoute).map((route) => [route.demo, route]))
}

/** The route of one demo. */
export async function routeOf(db: Trx, demo: DemoId): Promise<Route | undefined> {
  return (await servingVersions(db).where('demos.id', '=', demo).execute()).flatMap(toRoute)[0]
}

const servingVersions = (db: Trx) =>
  db
    .selectFrom('demos')
    .innerJoin('deployments', 'deployments.id', 'demos.serving')
    .select(['deployments.id', 'demo_id', 'commit_sha', 'endpoint', 'schema', 'manifest'])
    .where('demos.want', '=', 'on')
    .where('deployments.state', '=', 'running')
    .where('deployments.image', 'is not', null)
    .where('deployments.instance', 'is not', null)
    .where('deployments.endpoint', 'is not', null)
    .$narrowType<{ endpoint: NotNull }>()

type Serving = Pick<StoredDeployment, 'id' | 'demo_id' | 'commit_sha' | 'schema' | 'manifest'> & { endpoint: string }

function toRoute({ demo_id: demo, endpoint, schema, manifest, ...deployment }: Serving): Route[] {
  const [readSchema, times] = [storedSchema(schema), storedManifest(manifest)]
  return readSchema && times ? [{ demo, deployment, endpoint, schema: readSchema, times }] : []
}

/** The schema of the deployment that serves or served last. */
export async function schemaOf(db: Trx, demo: DemoRow): Promise<DemoSchema | undefined> {
  const serving = demo.serving ? await deploymentById(db, demo.serving) : undefined
  return serving?.schema
}
