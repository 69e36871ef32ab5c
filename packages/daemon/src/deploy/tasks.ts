import type { DeploymentId } from '@origami/protocol/demo'
import { logged } from '../logged.ts'

interface Task {
  readonly cancel: AbortController
  readonly done: Promise<unknown>
}

/** Work beside deploys (retiring, reviving). At most one task runs for each deployment. */
export class Tasks {
  private readonly running = new Map<DeploymentId, Task>()
  private readonly leaving: AbortSignal

  constructor(leaving: AbortSignal) {
    this.leaving = leaving
  }

  /**
   * Starts the work. False: another task for this deployment is running, and `work` is not begun. The signal aborts
   * when the daemon leaves, and on `end`.
   */
  start(id: DeploymentId, work: (signal: AbortSignal) => Promise<void>): boolean {
    if (this.running.has(id)) return false
    const cancel = new AbortController()
    const signal = AbortSignal.any([this.leaving, cancel.signal])
    const done = logged(`deployment ${id} could not be looked after`, () => work(signal)).then(() =>
      this.running.delete(id),
    )
    this.running.set(id, { cancel, done })
    return true
  }

  has(id: DeploymentId): boolean {
    return this.running.has(id)
  }

  /** Aborts the task of a deployment, and resolves once it has ended. */
  async end(id: DeploymentId): Promise<void> {
    const task = this.running.get(id)
    task?.cancel.abort('ended')
    await task?.done
  }

  /** Resolves once no task of a deployment is running. */
  async done(id: DeploymentId): Promise<void> {
    await this.running.get(id)?.done
  }

  async settled(): Promise<void> {
    await Promise.all([...this.running.values()].map(({ done }) => done))
  }
}
