import { setTimeout } from 'node:timers/promises'
import { logger } from '@origami/host/logger'
import type { DeploymentId } from '@origami/protocol/demo'
import type { Limits } from '../config.ts'
import type { Engine, InstanceId } from '../engine/engine.ts'
import { deploymentById, note } from '../store/deployments.ts'
import type { Db } from '../store/open.ts'
import { batches } from './batches.ts'
import type { DemoLogs } from './demo-log.ts'

const log = logger('logs')

/** The wait before a pump that failed is tried again. It doubles each time, up to a minute. */
const retryMs = 1000
const longestRetryMs = 60_000

/**
 * Copies what instances print into the logs of their demos. After a failure, or when the daemon was away, it continues
 * where it stopped.
 */
export class LogPumps {
  private readonly running = new Map<InstanceId, { ended: Promise<void>; isLast: AbortController }>()
  private readonly db: Db
  private readonly engine: Engine
  private readonly logs: DemoLogs
  private readonly limits: Pick<Limits, 'lastLogMs'>
  private readonly signal: AbortSignal

  constructor(db: Db, engine: Engine, logs: DemoLogs, limits: Pick<Limits, 'lastLogMs'>, signal: AbortSignal) {
    this.limits = limits
    this.db = db
    this.engine = engine
    this.logs = logs
    this.signal = signal
  }

  /** Starts a pump. Idempotent for each instance. */
  start(deployment: DeploymentId, instance: InstanceId): void {
    if (this.running.has(instance)) return
    const isLast = new AbortController()
    const ended = this.pumpOn(deployment, instance, isLast.signal).finally(() => this.running.delete(instance))
    this.running.set(instance, { ended, isLast })
  }

  /** Resolves when everything that an exited instance printed is in the log, or cannot be read. */
  async drained(instance: InstanceId): Promise<void> {
    const pump = this.running.get(instance)
    pump?.isLast.abort()
    await Promise.race([pump?.ended, setTimeout(this.limits.lastLogMs, undefined, { ref: false })])
  }

  async ended(): Promise<void> {
    await Promise.all([...this.running.values()].map(({ ended }) => ended))
  }

  /** Pumps until the instance's output ends. `isLast`: the instance has exited, so a failure is not tried again. */
  private async pumpOn(deployment: DeploymentId, instance: InstanceId, isLast: AbortSignal): Promise<void> {
    const giveUp = AbortSignal.any([this.signal, isLast])
    for (let wait = retryMs; ; wait = Math.min(wait * 2, longestRetryMs)) {
      try {
        await this.pump(deployment, instance)
        return
      } catch (error) {
        if (this.signal.aborted) return
        log.error(`the log of instance ${instance} could not be read or written; trying again from there`, error)
      }
      if (giveUp.aborted) return
      // The wait rejects when it is aborted. The lines below decide whether to go on.
      await setTimeout(wait, undefined, { signal: giveUp }).catch(() => undefined)
      if (this.signal.aborted) return
    }
  }

  private async pump(id: DeploymentId, instance: InstanceId): Promise<void> {
    const row = await deploymentById(this.db, id)
    if (!row || !(await this.engine.find(instance))) return
    const failed = new AbortController()
    const signal = AbortSignal.any([this.signal, failed.signal])
    for await (const lines of batches(this.engine.logs(instance, row.log_cursor ?? undefined, signal))) {
      try {
        await this.logs.append(row.demo_id, lines)
        await note(this.db, row, { log_cursor: lines.at(-1)?.cursor ?? null })
      } catch (error) {
        // A read of the next line is under way. It would keep this loop until the instance prints again.
        failed.abort()
        throw error
      }
    }
  }
}
