import { type DemoSchema, demoSchema, type Health, health, type Manifest } from '@origami/protocol/demo'
import { allowedNetwork } from '../config.ts'
import type { ImageRef, Instance, InstanceId, InstanceSpec } from '../engine/engine.ts'
import { logged } from '../logged.ts'
import { demoById } from '../store/demos.ts'
import { waited } from '../waited.ts'
import { DeployFailed } from './failure.ts'
import { latest } from './latest.ts'
import { manifestOf } from './manifest.ts'
import type { DeployParts } from './parts.ts'
import { isRuntime, probe, silent, stranger } from './probe.ts'
import type { DeployProgress } from './progress.ts'

/** The pauses between checks grow with the wait, so that none adds much to it, and a long one costs little. */
const [shortestPauseMs, longestPauseMs, pauseShare] = [10, 100, 1 / 20]
/** How long to wait until the last lines of an ended instance are in its log. */
const drainLogMs = 2_000
/** How many lines of a failed setup's output are kept. The end of a traceback matters most. */
const setupLines = 40

/** The resources that an instance with this manifest may use. */
const instanceSpec = (repolink: string, manifest: Manifest, limits: DeployParts['limits']): InstanceSpec => {
  const memoryBytes = manifest.memory ?? limits.memoryBytes
  return {
    name: repolink.slice(repolink.lastIndexOf('/') + 1),
    bodyBytes: limits.bodyBytes,
    fileBytes: limits.fileBytes,
    port: manifest.port,
    memoryBytes,
    cpus: manifest.cpus ?? limits.cpus,
    pids: limits.pids,
    tmpBytes: Math.min(manifest.tmp ?? memoryBytes / 2, memoryBytes),
    tmpExec: manifest.tmp_exec,
    network: allowedNetwork(manifest.network, limits),
  }
}

/**
 * Starts an instance of this deployment, stores it, and follows its log. An instance that an earlier attempt left and
 * that does not run is removed first.
 */
export async function startInstance(
  parts: DeployParts,
  progress: DeployProgress,
  image: ImageRef,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<Instance> {
  const { demo_id: demo, id: deployment } = progress.row
  const left = (await parts.engine.instancesOf(demo)).find((instance) => instance.deployment === deployment)
  if (left && left.state !== 'running') await parts.engine.remove(left.id)
  const spec = instanceSpec((await demoById(parts.db, demo))?.repolink ?? '', manifest, parts.limits)
  if (spec.network !== manifest.network)
    await progress.say(
      `\`network: ${manifest.network}\` in .origami asks for more than this server allows; it has ${spec.network}`,
    )
  const instance = await parts.engine.start({ demo, deployment, image, spec }, signal)
  await progress.note({ instance: instance.id, log_cursor: null })
  parts.pumps.start(deployment, instance.id)
  return instance
}

/**
 * Ends an instance once everything that it printed is in the log. An abort of the signal ends its grace: it is killed.
 */
export async function endInstance(
  parts: DeployParts,
  instance: InstanceId,
  { graceMs = parts.limits.stopGraceMs, signal }: { graceMs?: number; signal?: AbortSignal } = {},
): Promise<void> {
  const kill = () => void logged(`instance ${instance} could not be killed`, () => parts.engine.stop(instance, 0))
  signal?.addEventListener('abort', kill, { once: true })
  await parts.engine
    .stop(instance, signal?.aborted ? 0 : graceMs)
    .finally(() => signal?.removeEventListener('abort', kill))
  await logDrained(parts, instance)
  await parts.engine.remove(instance)
}

/** Resolves once everything that an ended instance printed is in the log, or after a short time limit. */
export async function logDrained({ pumps }: DeployParts, instance: InstanceId): Promise<void> {
  const enough = new AbortController()
  const drained = logged(`the log of instance ${instance} broke off`, () => pumps.drained(instance))
  await Promise.race([drained, waited(drainLogMs, enough.signal)])
  enough.abort()
}

/**
 * Asks until the instance is READY, and returns its schema after storing the instance and its endpoint. Throws
 * DeployFailed with what it answered instead. An instance that accepts a connection and never answers is treated like
 * one that does not listen.
 */
export async function untilReady(
  parts: DeployParts,
  progress: DeployProgress,
  started: Instance,
  signal: AbortSignal,
): Promise<DemoSchema> {
  const { port } = manifestOf(progress.row)
  const over = new AbortController()
  const watched = latest(parts.engine.watch(started.id, AbortSignal.any([signal, over.signal])))
  try {
    return await untilReadyAt(parts, progress, watched, port, signal)
  } finally {
    over.abort()
  }
}

async function untilReadyAt(
  parts: DeployParts,
  progress: DeployProgress,
  watched: () => Promise<Instance | undefined>,
  port: number,
  signal: AbortSignal,
): Promise<DemoSchema> {
  const begun = performance.now()
  const pauseMs = () => Math.min(Math.max((performance.now() - begun) * pauseShare, shortestPauseMs), longestPauseMs)
  do {
    const instance = await watched()
    if (signal.aborted) break
    if (instance?.state !== 'running') throw await exited(parts, instance)
    const ready = instance.endpoint ? await schemaOnceReady(parts, progress, instance.endpoint, port, signal) : silent
    if (ready !== silent) {
      await progress.note({ instance: instance.id, endpoint: instance.endpoint ?? null, ready_at: parts.now() })
      return ready
    }
  } while (await waited(pauseMs(), signal))
  throw new DeployFailed(
    'unhealthy',
    `The model did not answer READY on port ${port} in time; \`ready_within\` in .origami gives it longer`,
  )
}

/** Resolves to `silent` while the instance is not READY yet. Throws DeployFailed. */
async function schemaOnceReady(
  { limits }: DeployParts,
  progress: DeployProgress,
  endpoint: string,
  port: number,
  signal: AbortSignal,
): Promise<DemoSchema | typeof silent> {
  const instance = { endpoint, deadlineMs: limits.answerMs, signal }
  const answer = await probe(instance, '/health-check', health)
  const runtime = answer === silent ? silent : await isRuntime(instance)
  if (answer === silent || runtime === silent) return silent
  if (answer === stranger || !runtime)
    throw new DeployFailed(
      'not_a_predictor',
      `Something answers on port ${port}, but it is no model: GET / and GET /health-check are not those of a runtime`,
    )
  if (answer.status === 'SETUP_FAILED') throw await setupFailed(progress, answer)
  if (answer.status !== 'READY') return silent
  const schema = await probe(instance, '/schema', demoSchema)
  if (schema === stranger)
    throw new DeployFailed(
      'not_a_predictor',
      `It is READY on port ${port}, but GET /schema is not the schema of a demo`,
    )
  return schema
}

async function setupFailed(progress: DeployProgress, { setup }: Health): Promise<DeployFailed> {
  const lines = (setup?.logs ?? '').trimEnd().split('\n')
  await progress.say(lines.slice(-setupLines).join('\n'))
  return new DeployFailed('unhealthy', `The model's setup failed: ${lines.at(-1) || 'it said nothing'}`)
}

async function exited(parts: DeployParts, instance: Instance | undefined): Promise<DeployFailed> {
  if (instance) await logDrained(parts, instance.id)
  if (instance?.exit?.outOfMemory)
    return new DeployFailed('oom', 'It ran out of memory while starting; `memory` in .origami gives it more')
  const code = instance?.exit?.code
  return new DeployFailed(
    'start_failed',
    `It exited at once${code === null || code === undefined ? '' : ` with code ${code}`}; its last lines are in the log`,
  )
}
