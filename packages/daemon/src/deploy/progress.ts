import type { ActiveState, DeploymentState } from '@origami/protocol/control'
import { logged } from '../logged.ts'
import type { Deployment } from '../store/deployment.ts'
import { deploymentById, move, note } from '../store/deployments.ts'
import { DeployFailed, Overtaken } from './failure.ts'
import type { DeployParts } from './parts.ts'

/** The least time for a step, even when its deadline is over, so that an instance that is ready is asked once. */
const leastMs = 2000

/** One deployment under way: its row as last written, its log, and its steps. */
export class DeployProgress {
  row: Deployment
  step: DeploymentState
  private readonly parts: DeployParts
  private readonly signal: AbortSignal
  private readonly interrupted: { readonly state: DeploymentState; readonly until: number } | undefined

  constructor(parts: DeployParts, row: Deployment, signal: AbortSignal) {
    this.parts = parts
    this.row = row
    this.step = row.state
    this.signal = signal
    this.interrupted = interruptedStep(row)
  }

  /**
   * Enters a state and does its work within its deadline. Throws DeployFailed `timed_out`, and what the work throws.
   */
  async enter<Result>(
    state: ActiveState,
    deadlineMs: number,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const now = this.parts.clock()
    const until = this.interrupted?.state === state ? this.interrupted.until : now + deadlineMs
    await this.to(state, { deadline_at: new Date(until).toISOString() })
    await this.say(descriptions[state])
    const deadline = AbortSignal.timeout(Math.max(until - now, leastMs))
    try {
      return await work(AbortSignal.any([this.signal, deadline]))
    } catch (error) {
      this.signal.throwIfAborted()
      if (deadline.aborted && !(error instanceof DeployFailed))
        throw new DeployFailed(
          'timed_out',
          `${descriptions[state]} took longer than ${Math.round(deadlineMs / 1000)} s`,
        )
      throw error
    }
  }

  /** Moves the deployment to another state. Throws Overtaken. */
  async to(state: DeploymentState, change: Parameters<typeof move>[4] = {}): Promise<void> {
    const { db, now, changed } = this.parts
    const moved = await db.transaction().execute((trx) => move(trx, this.row, state, now(), change))
    if (!moved) throw new Overtaken()
    this.step = state
    await this.reread()
    changed.notify(this.row.demo_id)
  }

  /** Stores what was found out about the deployment. Throws Overtaken. */
  async note(change: Parameters<typeof note>[2]): Promise<void> {
    if (!(await note(this.parts.db, this.row, change))) throw new Overtaken()
    await this.reread()
  }

  /**
   * Writes a line for people into the log. A log that cannot be written (on a full disk, for example) does not fail the
   * deploy.
   */
  async say(text: string): Promise<void> {
    const { clock, logs } = this.parts
    const [at, { demo_id }] = [new Date(clock()), this.row]
    const lines = text.split('\n').map((line) => ({ at, source: 'deploy' as const, text: line }))
    await logged(`the log of demo ${demo_id} could not be written`, () => logs.append(demo_id, lines))
  }

  private async reread(): Promise<void> {
    const row = await deploymentById(this.parts.db, this.row.id)
    if (row?.attempt !== this.row.attempt) throw new Overtaken()
    this.row = row
  }
}

/**
 * The step in which an instance was awaited when the daemon went away, with its deadline, so that a restart gives no
 * more time.
 */
function interruptedStep(row: Deployment): DeployProgress['interrupted'] {
  if (row.state !== 'queued' || row.deadline_at === null) return undefined
  const state = row.steps.at(-2)?.state
  const waited = state === 'starting' || state === 'health_checking'
  return waited ? { state, until: Date.parse(row.deadline_at) } : undefined
}

const descriptions: Record<ActiveState, string> = {
  cloning: 'Cloning',
  validating: 'Checking what was cloned',
  building: 'Building',
  starting: 'Starting',
  health_checking: 'Waiting until it answers',
  switching: 'Switching over',
}
