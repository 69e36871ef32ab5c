import type { DemoDetail, DemoState, DemoStats } from '@origami/protocol/control'
import { isActiveState, isFailed } from '@origami/protocol/control'
import type { DemoId } from '@origami/protocol/demo'
import type { Engine } from '../engine/engine.ts'
import { allDemos, demoById, schemaOf } from '../store/demos.ts'
import type { Deployment } from '../store/deployment.ts'
import { deploymentById, deploymentsOf } from '../store/deployments.ts'
import type { Db } from '../store/open.ts'
import { countOpen } from '../store/open-predictions.ts'
import type { DemoRow } from '../store/tables.ts'
import { presentDeployment } from './present-deployment.ts'

/** All demos in the form that the API answers. */
export async function allStats(db: Db): Promise<DemoStats[]> {
  return Promise.all((await allDemos(db)).map((demo) => stats(db, demo)))
}

/** One demo in the form that the API answers. Undefined when there is no such demo. */
export async function detail(
  db: Db,
  id: DemoId,
  { unisolated }: Pick<Engine, 'unisolated'>,
): Promise<DemoDetail | undefined> {
  const demo = await demoById(db, id)
  if (!demo) return undefined
  return { ...(await stats(db, demo)), schema: (await schemaOf(db, demo)) ?? null, unisolated: unisolated ?? null }
}

async function stats(db: Db, demo: DemoRow): Promise<DemoStats> {
  const [newest] = await deploymentsOf(db, demo.id, 1)
  const serving = demo.serving ? await deploymentById(db, demo.serving) : undefined
  const { waiting, running } = await countOpen(db, demo.id)
  const reached = serving?.instance?.reached
  const status = demoState(demo, serving, newest)
  return {
    demo_id: demo.id,
    user_id: demo.user_id,
    container_id: demo.id,
    instance_id: serving?.instance?.id ?? null,
    port: reached ? Number(new URL(reached.endpoint).port) : null,
    repolink: demo.repolink,
    status,
    reason: status === 'stopped' ? null : ((decides(serving) ? serving : newest)?.reason ?? null),
    waiting,
    running,
    runs: demo.runs,
    commit: serving?.commit?.sha ?? null,
    serving: serving?.state === 'running' ? serving.id : null,
    newest: newest ? presentDeployment(newest) : null,
  }
}

/**
 * Whether the serving deployment decides the state of its demo, rather than the newest deployment. It does while it
 * serves, is being started again, or has crashed too often.
 */
const decides = (serving: Deployment | undefined): boolean =>
  serving !== undefined &&
  (['running', 'queued', 'runtime_error'].includes(serving.state) || isActiveState(serving.state))

/** Derives a demo's state from the deployment that serves, the newest deployment and what the owner wants. */
function demoState(
  demo: Pick<DemoRow, 'want'>,
  serving: Deployment | undefined,
  newest: Deployment | undefined,
): DemoState {
  if (demo.want === 'stopped') return 'stopped'
  if (serving?.state === 'running' && serving.instance?.reached) return 'running'
  if (newest?.state === 'queued' || serving?.state === 'queued') return 'waiting'
  if ((newest && isActiveState(newest.state)) || (serving && isActiveState(serving.state))) return 'building'
  if (newest?.state === 'not_linked') return 'not_linked'
  if (serving?.state === 'running') return 'waiting'
  return newest && (isFailed(newest.state) || newest.state === 'canceled') ? 'failed' : 'waiting'
}
