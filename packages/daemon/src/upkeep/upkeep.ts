import type { DeploymentRunner } from '../deploy/deployment-runner.ts'
import type { DeployParts } from '../deploy/parts.ts'
import { HealthChecks } from './health-checks.ts'
import { Reconciler } from './reconcile.ts'
import { repeat } from './repeat.ts'
import { Rounds } from './rounds.ts'

/** Everything that keeps the demos as they should be. Each part goes on when another fails. */
export class Upkeep {
  readonly rounds: Rounds
  readonly checks: HealthChecks
  private readonly parts: DeployParts
  private readonly signal: AbortSignal

  constructor(parts: DeployParts, runner: DeploymentRunner, signal: AbortSignal) {
    this.parts = parts
    this.signal = signal
    this.checks = new HealthChecks(parts, signal)
    const reconciler = new Reconciler(parts, runner)
    this.rounds = new Rounds(() => reconciler.round(), signal)
  }

  /**
   * Works until the signal aborts, and resolves once nothing is under way. `sweep` removes what is older than its
   * limit.
   */
  async work(sweep: () => Promise<void>): Promise<void> {
    const { limits, engine, tasks } = this.parts
    const between = () => limits.reconcileMs
    await Promise.all([
      this.rounds.watchExits(engine),
      repeat('a round of looking after demos failed', between, () => this.rounds.run(), this.signal),
      repeat('instances could not be asked for their health', between, () => this.checks.run(), this.signal),
      repeat('what is past its time could not be removed', between, sweep, this.signal),
    ])
    await this.rounds.settled()
    await tasks.settled()
  }
}
