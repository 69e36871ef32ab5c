import { setTimeout } from 'node:timers/promises'
import { type DemoSchema, Gone, type Health, type Manifest } from '@origami/protocol/demo'
import { HttpPredictor } from '@origami/serving'
import { request } from 'undici'
import type { ImageRef, Instance, InstanceId, InstanceSpec } from '../engine/engine.ts'
import { demoById } from '../store/demos.ts'
import { DeployFailed } from './failure.ts'
import type { DeployParts } from './parts.ts'
import type { Progress } from './progress.ts'

const betweenChecksMs = 100
const stopGraceMs = 10_000
/** Of what a setup that failed said, the end of a traceback being what matters. */
const setupLines = 40

/** What an instance of this manifest may use. */
export const instanceSpec = (repolink: string, manifest: Manifest, limits: DeployParts['limits']): InstanceSpec => ({
  name: repolink.slice(repolink.lastIndexOf('/') + 1),
  port: manifest.port,
  memoryBytes: manifest.memory ?? limits.memoryBytes,
  cpus: manifest.cpus ?? limits.cpus,
  pids: limits.pids,
})

export async function startInstance(
  parts: DeployParts,
  progress: Progress,
  image: ImageRef,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<Instance> {
  const { demo_id: demo, id: deployment } = progress.row
  await removeExited(parts, progress)
  const spec = instanceSpec((await demoById(parts.db, demo))?.repolink ?? '', manifest, parts.limits)
  const instance = await parts.engine.start({ demo, deployment, image, spec }, signal)
  await progress.note({ instance: instance.id, log_cursor: null })
  parts.pumps.start(deployment, instance.id)
  return instance
}

/** Ends an instance, once all that it printed is in the log. */
export async function endInstance({ engine, pumps }: DeployParts, instance: InstanceId): Promise<void> {
  await engine.stop(instance, stopGraceMs)
  await pumps.drained(instance)
  await engine.remove(instance)
}

/** One that an earlier attempt left dead would be taken for this one. */
async function removeExited({ engine }: DeployParts, { row }: Progress): Promise<void> {
  const left = (await engine.list()).find((instance) => instance.deployment === row.id && instance.state === 'exited')
  if (left) await engine.remove(left.id)
}

/** Asks until the instance is READY and tells its schema. Throws DeployFailed with what it said instead. */
export async function untilReady(
  parts: DeployParts,
  progress: Progress,
  started: Instance,
  signal: AbortSignal,
): Promise<DemoSchema> {
  const port = manifestPort(progress)
  for (;;) {
    const instance = (await parts.engine.list()).find((entry) => entry.id === started.id)
    if (!instance || instance.state === 'exited') throw await exited(parts, instance)
    const answer = instance.endpoint ? await ask(instance.endpoint, signal) : 'silent'
    if (answer === 'stranger')
      throw new DeployFailed(
        'not_a_predictor',
        `Something answers on port ${port}, but it is no model: GET / and GET /health-check are not those of a runtime`,
      )
    if (answer !== 'silent' && answer.status === 'SETUP_FAILED') {
      const lines = (answer.setup?.logs ?? '').trimEnd().split('\n')
      await progress.say(lines.slice(-setupLines).join('\n'))
      throw new DeployFailed('unhealthy', `The model's setup failed: ${lines.at(-1) || 'it said nothing'}`)
    }
    if (instance.endpoint && answer !== 'silent' && answer.status === 'READY') {
      await progress.note({ endpoint: instance.endpoint })
      return new HttpPredictor({ base: instance.endpoint }).schema()
    }
    await setTimeout(betweenChecksMs, undefined, { signal }).catch(() => {
      throw new DeployFailed(
        'unhealthy',
        `The model did not answer READY on port ${port} in time; \`ready_within\` in .origami gives it longer`,
      )
    })
  }
}

async function ask(endpoint: string, signal: AbortSignal): Promise<Health | 'silent' | 'stranger'> {
  try {
    const health = await new HttpPredictor({ base: endpoint }).health()
    const index = await request(endpoint, { headers: { accept: 'application/json' }, signal })
    const body = (await index.body.json()) as { origami?: { api?: unknown } }
    return body.origami?.api === 1 ? health : 'stranger'
  } catch (error) {
    return error instanceof Gone || signal.aborted ? 'silent' : 'stranger'
  }
}

async function exited(parts: DeployParts, instance: Instance | undefined): Promise<DeployFailed> {
  if (instance) await parts.pumps.drained(instance.id)
  if (instance?.exit?.outOfMemory)
    return new DeployFailed('oom', 'It ran out of memory while starting; `memory` in .origami gives it more')
  const code = instance?.exit?.code
  return new DeployFailed(
    'start_failed',
    `It exited at once${code === null || code === undefined ? '' : ` with code ${code}`}; its last lines are in the log`,
  )
}

const manifestPort = (progress: Progress): number =>
  progress.row.manifest ? (JSON.parse(progress.row.manifest) as Manifest).port : 6000
