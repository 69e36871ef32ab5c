import type { DeploymentId } from '@origami/protocol/demo'
import { type Health, health } from '@origami/protocol/demo'
import PQueue from 'p-queue'
import { endInstance } from '../deploy/instance.ts'
import { manifestOf } from '../deploy/manifest.ts'
import type { DeployParts } from '../deploy/parts.ts'
import { probe, silent, stranger } from '../deploy/probe.ts'
import { noteServedWell } from '../deploy/served-well.ts'
import type { InstanceId } from '../engine/engine.ts'
import { logged } from '../logged.ts'
import type { InstanceFault } from '../predictions/parts.ts'
import type { RunningDeployment } from '../store/deployment.ts'
import { deploymentById, deploymentsByState, note, notReached } from '../store/deployments.ts'
import { crashed } from './crashes.ts'
import { revive } from './revive.ts'

/** A serving version and the instance that answers for it. */
interface Serving {
  readonly row: RunningDeployment
  readonly instance: InstanceId
  readonly endpoint: string
  readonly ready_at: string | null
}

const servingOf = (row: RunningDeployment): Serving[] =>
  row.instance?.reached ? [{ row, instance: row.instance.id, ...row.instance.reached }] : []

/**
 * Asks all serving instances whether they have a worker. An instance without one for all of its `ready_within` is ended
 * and started again.
 */
export class HealthChecks {
  private readonly parts: DeployParts
  private readonly signal: AbortSignal
  /** Since when each instance has had no worker, by the daemon's clock. */
  private readonly without = new Map<InstanceId, number>()
  /** When each deployment was last restarted on the queue's request, by the daemon's clock. */
  private readonly restarted = new Map<DeploymentId, number>()

  constructor(parts: DeployParts, signal: AbortSignal) {
    this.parts = parts
    this.signal = signal
  }

  /** Checks all serving instances once. */
  async run(): Promise<void> {
    const serving = (await deploymentsByState(this.parts.db, ['running'])).flatMap(servingOf)
    const present = new Set(serving.map(({ instance }) => instance))
    for (const id of this.without.keys()) if (!present.has(id)) this.without.delete(id)
    const day = 24 * 3_600_000
    for (const [id, at] of this.restarted) if (this.parts.clock() - at > day) this.restarted.delete(id)
    const queue = new PQueue({ concurrency: this.parts.limits.healthChecks })
    const one = (version: Serving) => () =>
      logged(`deployment ${version.row.id} could not be asked for its health`, () => this.check(version))
    await queue.addAll(serving.map(one))
  }

  /**
   * Restarts an instance that the queue found faulty, at most once in its `ready_within`. What visitors can cause does
   * not count as a crash: those who cancel often, or send much, must not bring down a version.
   */
  async lookAt(id: DeploymentId, fault: InstanceFault): Promise<void> {
    await logged(`deployment ${id} could not be looked at`, async () => {
      const { db, clock, tasks } = this.parts
      const row = await deploymentById(db, id)
      if (this.signal.aborted || row?.state !== 'running' || !row.instance?.reached) return
      const instance = row.instance.id
      const withinMs = manifestOf(row).ready_within * 1000
      if (clock() - (this.restarted.get(id) ?? Number.NEGATIVE_INFINITY) < withinMs) return
      const { why, markRow } = reactions[fault]
      if (tasks.start(id, (signal) => this.restart(row, instance, why, markRow, signal)))
        this.restarted.set(id, clock())
    })
  }

  private async check({ row, instance, endpoint, ready_at }: Serving): Promise<void> {
    const { db, limits, clock, now } = this.parts
    if (this.parts.tasks.has(row.id)) return
    const answer = await probe({ endpoint, deadlineMs: limits.answerMs, signal: this.signal }, '/health-check', health)
    if (this.signal.aborted) return
    if (answer !== silent && answer !== stranger && hasWorker(answer)) {
      this.without.delete(instance)
      if (ready_at === null) await note(db, row, { ready_at: now() })
      else await noteServedWell(this.parts, row)
      return
    }
    if (ready_at !== null) await note(db, row, { ready_at: null })
    const since = this.without.get(instance) ?? clock()
    this.without.set(instance, since)
    const { ready_within } = manifestOf(row)
    const why = `No worker of it served for ${ready_within} s`
    if (clock() - since >= ready_within * 1000)
      this.parts.tasks.start(row.id, (signal) => this.restart(row, instance, why, stoppedServing, signal))
  }

  private async restart(
    row: RunningDeployment,
    instance: InstanceId,
    why: string,
    markRow: (parts: DeployParts, row: RunningDeployment) => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<void> {
    const { logs, clock, changed } = this.parts
    const text = `${why}: it is ended and started again`
    const lines = [{ at: new Date(clock()), source: 'deploy' as const, text }]
    await logged(`the log of demo ${row.demo_id} could not be written`, () => logs.append(row.demo_id, lines))
    await markRow(this.parts, row)
    changed.notify(row.demo_id)
    await endInstance(this.parts, instance, { signal })
    await revive(this.parts, row, signal)
  }
}

const stoppedServing = (parts: DeployParts, row: RunningDeployment): Promise<void> =>
  crashed(parts, row, 'stopped serving')

/** Holds the demo until the instance answers again. */
const holdDemo = ({ db }: DeployParts, row: RunningDeployment): Promise<boolean> => note(db, row, notReached)

const reactions: Record<
  InstanceFault,
  { why: string; markRow: (parts: DeployParts, row: RunningDeployment) => Promise<unknown> }
> = {
  'takes nothing': { why: 'It took no predictions', markRow: stoppedServing },
  'has no room': { why: 'It had no room for a prediction, though none ran in it', markRow: holdDemo },
  'runs on': { why: 'It did not end a prediction that it was told to end', markRow: holdDemo },
}

/** Runtimes that do not report `workers` serve while they say READY or BUSY. */
const hasWorker = ({ workers, status }: Health): boolean =>
  workers ? workers.ready > 0 : status === 'READY' || status === 'BUSY'
