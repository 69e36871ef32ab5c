import type { DeploymentId } from '@origami/protocol/demo'

/** What goes on beside deploys (retiring, reviving): one thing at a time for each deployment. */
export class Tasks {
  private readonly running = new Map<DeploymentId, Promise<void>>()

  /** False: something is done with it already, and `work` is not begun. */
  start(id: DeploymentId, work: () => Promise<void>): boolean {
    if (this.running.has(id)) return false
    const task = work()
      .catch((error: unknown) => console.error(`deployment ${id} could not be looked after`, error))
      .finally(() => this.running.delete(id))
    this.running.set(id, task)
    return true
  }

  has(id: DeploymentId): boolean {
    return this.running.has(id)
  }

  /** Resolves once nothing is done with a deployment. */
  async ended(id: DeploymentId): Promise<void> {
    await this.running.get(id)
  }

  async settled(): Promise<void> {
    await Promise.all(this.running.values())
  }
}
