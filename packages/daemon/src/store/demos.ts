import type { DemoDetail, DemoState, DemoStats } from '@origami/protocol/control'
import { isActive, isFailed } from '@origami/protocol/control'
import { type DemoId, type DemoSchema, demoSchema, type Manifest, manifestSchema } from '@origami/protocol/demo'
import { deploymentById, deploymentsOf, presentDeployment } from './deployments.ts'
import type { Db, Trx } from './open.ts'
import { countOpen } from './predictions.ts'
import type { DemoRow, DeploymentRow } from './tables.ts'

/** Stores a demo, or wants one on again that is known. */
export async function wantDemo(trx: Trx, demo: Pick<DemoRow, 'id' | 'user_id' | 'repolink'>, now: string): Promise<void> {
  await trx
    .insertInto('demos')
    .values({ ...demo, want: 'on', created_at: now })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ want: 'on' }))
    .execute()
}

/** What a demo's owner wants from here on. */
export async function setWant(trx: Trx, id: DemoId, want: DemoRow['want']): Promise<void> {
  await trx.updateTable('demos').set({ want }).where('id', '=', id).execute()
}

/** From here on this deployment is the one that answers for its demo. */
export async function setServing(trx: Trx, { id, demo_id }: Pick<DeploymentRow, 'id' | 'demo_id'>): Promise<void> {
  await trx.updateTable('demos').set({ serving: id }).where('id', '=', demo_id).execute()
}

/** With all that belongs to it, its events too. */
export async function deleteDemo(trx: Trx, id: DemoId): Promise<void> {
  await trx.deleteFrom('predictions').where('demo_id', '=', id).execute()
  await trx.deleteFrom('deployments').where('demo_id', '=', id).execute()
  await trx.deleteFrom('demos').where('id', '=', id).execute()
  await trx.deleteFrom('events').where('demo', '=', id).execute()
}

export async function demoById(db: Trx, id: DemoId): Promise<DemoRow | undefined> {
  return db.selectFrom('demos').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function demoIds(db: Trx): Promise<DemoId[]> {
  return (await db.selectFrom('demos').select('id').execute()).map(({ id }) => id)
}

/** Where a demo's predictions go now: the endpoint of what serves, with its schema. Undefined: it is held, as is one whose row cannot be read. */
export interface Route {
  readonly demo: DemoId
  readonly deployment: DeploymentRow
  readonly endpoint: string
  readonly schema: DemoSchema
  readonly times: StoredTimes
}

/** Every demo that has one. */
export async function routes(db: Trx): Promise<ReadonlyMap<DemoId, Route>> {
  const rows = await serving(db).execute()
  return new Map(rows.flatMap(toRoute).map((route) => [route.demo, route]))
}

/** That of one demo. */
export async function routeOf(db: Trx, demo: DemoId): Promise<Route | undefined> {
  return (await serving(db).where('demos.id', '=', demo).execute()).flatMap(toRoute)[0]
}

const serving = (db: Trx) =>
  db
    .selectFrom('demos')
    .innerJoin('deployments', 'deployments.id', 'demos.serving')
    .selectAll('deployments')
    .where('demos.want', '=', 'on')
    .where('deployments.state', '=', 'running')
    .where('deployments.endpoint', 'is not', null)

function toRoute(deployment: DeploymentRow): Route[] {
  const { demo_id: demo, endpoint } = deployment
  const schema = storedSchema(deployment.schema)
  const times = timesOf(deployment.manifest)
  return endpoint && schema && times ? [{ demo, deployment, endpoint, schema, times }] : []
}

/** The schema of what serves, or served last. */
export async function schemaOf(db: Trx, demo: DemoRow): Promise<DemoSchema | undefined> {
  const serving = demo.serving ? await deploymentById(db, demo.serving) : undefined
  return storedSchema(serving?.schema ?? null)
}

/** A schema as the store has it. Undefined: there is none, or it is of no form that this version knows. */
export const storedSchema = parsedOnce('schema', (text: string | null): DemoSchema | undefined =>
  text === null ? undefined : demoSchema.parse(JSON.parse(text)),
)

/**
 * The times of a manifest that is stored as it was read: its memory is in bytes already. Keys that came later have their defaults.
 * Undefined: it cannot be read.
 */
const storedTimes = manifestSchema.pick({ ready_within: true, timeout: true }).strip()
export type StoredTimes = Pick<Manifest, 'ready_within' | 'timeout'>
export const timesOf = parsedOnce('manifest', (text): StoredTimes | undefined => storedTimes.parse(JSON.parse(text ?? '{}')))

/** Each is parsed once, for every prediction asks for it; one that cannot be read is told once, and keeps none but its own demo waiting. */
function parsedOnce<Parsed>(what: string, parse: (text: string | null) => Parsed, atMost = 500) {
  const known = new Map<string | null, Parsed | undefined>()
  return (text: string | null): Parsed | undefined => {
    if (known.has(text)) return known.get(text)
    if (known.size >= atMost) known.clear()
    try {
      known.set(text, parse(text))
    } catch (error) {
      console.error(`a stored ${what} cannot be read; its demo is held until it is deployed again`, error)
      known.set(text, undefined)
    }
    return known.get(text)
  }
}

export async function allStats(db: Db): Promise<DemoStats[]> {
  const demos = await db.selectFrom('demos').selectAll().orderBy('created_at').execute()
  return Promise.all(demos.map((demo) => stats(db, demo)))
}

export async function detail(db: Db, id: DemoId): Promise<DemoDetail | undefined> {
  const demo = await demoById(db, id)
  if (!demo) return undefined
  return { ...(await stats(db, demo)), schema: (await schemaOf(db, demo)) ?? null }
}

async function stats(db: Db, demo: DemoRow): Promise<DemoStats> {
  const [newest] = await deploymentsOf(db, demo.id, 1)
  const serving = demo.serving ? await deploymentById(db, demo.serving) : undefined
  const { waiting, running } = await countOpen(db, demo.id)
  const status = demoState(demo, serving, newest)
  return {
    demo_id: demo.id,
    user_id: demo.user_id,
    container_id: demo.id,
    instance_id: serving?.instance ?? null,
    port: serving?.endpoint ? Number(new URL(serving.endpoint).port) : null,
    repolink: demo.repolink,
    status,
    reason: status === 'stopped' ? null : ((decides(serving) ? serving : newest)?.reason ?? null),
    waiting,
    running,
    runs: demo.runs,
    commit: serving?.commit_sha ?? null,
    serving: serving?.state === 'running' ? serving.id : null,
    newest: newest ? presentDeployment(newest) : null,
  }
}

/** Whether a demo's state is told by what serves (or is being started again, or crash-looped) rather than by its newest deployment. */
const decides = (serving: DeploymentRow | undefined): boolean =>
  serving !== undefined && (['running', 'queued', 'runtime_error'].includes(serving.state) || isActive(serving.state))

/** What serves × what is newest × what its owner wants. */
function demoState(
  demo: Pick<DemoRow, 'want'>,
  serving: DeploymentRow | undefined,
  newest: DeploymentRow | undefined,
): DemoState {
  if (demo.want === 'stopped') return 'stopped'
  if (serving?.state === 'running' && serving.endpoint) return 'running'
  if (newest?.state === 'queued' || serving?.state === 'queued') return 'waiting'
  if ((newest && isActive(newest.state)) || (serving && isActive(serving.state))) return 'building'
  if (newest?.state === 'not_linked') return 'not_linked'
  if (serving?.state === 'running') return 'waiting'
  return newest && (isFailed(newest.state) || newest.state === 'canceled') ? 'failed' : 'waiting'
}
