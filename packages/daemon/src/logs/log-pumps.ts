import type { DeploymentId } from '@origami/protocol/demo'
import type { Engine, InstanceId, LogLine } from '../engine/engine.ts'
import { deploymentById, note } from '../store/deployments.ts'
import type { Db } from '../store/open.ts'
import type { DemoLogs } from './demo-log.ts'

const batchMs = 50

/** Carries what instances print into the logs of their demos, on from where it was when the daemon went away. */
export class LogPumps {
  private readonly running = new Map<InstanceId, Promise<void>>()
  private readonly db: Db
  private readonly engine: Engine
  private readonly logs: DemoLogs
  private readonly signal: AbortSignal

  constructor(db: Db, engine: Engine, logs: DemoLogs, signal: AbortSignal) {
    this.db = db
    this.engine = engine
    this.logs = logs
    this.signal = signal
  }

  /** Idempotent by instance. */
  start(deployment: DeploymentId, instance: InstanceId): void {
    if (this.running.has(instance)) return
    const pump = this.pump(deployment, instance)
      .catch(() => undefined)
      .finally(() => this.running.delete(instance))
    this.running.set(instance, pump)
  }

  /** Resolves when all that an instance printed is in the log. It must have exited. */
  async drained(instance: InstanceId): Promise<void> {
    await this.running.get(instance)
  }

  async ended(): Promise<void> {
    await Promise.all(this.running.values())
  }

  private async pump(id: DeploymentId, instance: InstanceId): Promise<void> {
    const row = await deploymentById(this.db, id)
    if (!row) return
    let batch: LogLine[] = []
    let cursor = row.log_cursor
    let written: Promise<void> = Promise.resolve()
    const write = async () => {
      const [lines, log_cursor] = [batch, cursor]
      batch = []
      if (lines.length === 0) return
      await this.logs.append(row.demo_id, lines)
      await note(this.db, row, { log_cursor })
    }
    const flush = () => {
      written = written.then(write, write)
      return written
    }
    const timer = setInterval(() => void flush().catch(() => undefined), batchMs)
    try {
      for await (const line of this.engine.logs(instance, cursor ?? undefined, this.signal)) {
        batch.push(line)
        cursor = line.cursor
        if (batch.length >= 500) await flush()
      }
    } finally {
      clearInterval(timer)
      await flush()
    }
  }
}
