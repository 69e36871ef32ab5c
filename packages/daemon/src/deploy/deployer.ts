import { activeStates } from '@origami/protocol/control'
import type { DeploymentId } from '@origami/protocol/demo'
import { deploymentById, deploymentsIn, move, nextQueued } from '../store/deployments.ts'
import { deploy } from './deploy.ts'
import type { DeployParts } from './parts.ts'

/** Takes queued deployments one by one, as many at a time as the limit says, one for each demo. */
export class Deployer {
  private readonly parts: DeployParts
  private readonly underWay = new Map<DeploymentId, { cancel: AbortController; done: Promise<void> }>()
  private readonly leaving = new AbortController()
  private turn: Promise<void> = Promise.resolve()

  constructor(parts: DeployParts) {
    this.parts = parts
  }

  /** Starts what may start. Call it after anything that may let a deployment go. */
  wake(): void {
    this.turn = this.turn
      .then(() => this.startWhatMay())
      .catch((error: unknown) => console.error('deployments could not be started', error))
  }

  /** Cancels one that waits or is under way, and resolves once nothing of it is left. False: it had ended. */
  async cancel(id: DeploymentId): Promise<boolean> {
    const { db, now, changed } = this.parts
    const running = this.underWay.get(id)
    if (running) {
      running.cancel.abort('cancelled')
      await running.done
      return true
    }
    const row = await deploymentById(db, id)
    if (row?.state !== 'queued') return false
    const cancelled = await db
      .transaction()
      .execute((trx) => move(trx, row, 'cancelled', now(), { reason: 'cancelled', token: null }))
    changed.notify(row.demo_id)
    return cancelled
  }

  isUnderWay(id: DeploymentId): boolean {
    return this.underWay.has(id)
  }

  /** Lets go of everything, leaving rows for the next daemon. */
  async leave(): Promise<void> {
    this.leaving.abort('leaving')
    await this.turn
    for (const { cancel } of this.underWay.values()) cancel.abort('leaving')
    await Promise.all([...this.underWay.values()].map(({ done }) => done))
  }

  private async startWhatMay(): Promise<void> {
    while (!this.leaving.signal.aborted && this.underWay.size < this.parts.limits.deployments) {
      const row = await nextQueued(this.parts.db)
      if (!row || this.underWay.has(row.id)) return
      const cancel = new AbortController()
      const entered = Promise.withResolvers<void>()
      const done = deploy({ ...this.parts, changed: this.parts.changed }, row, cancel.signal)
        .catch((error: unknown) => console.error(`deployment ${row.id} broke off`, error))
        .finally(() => {
          this.underWay.delete(row.id)
          entered.resolve()
          this.wake()
        })
      this.underWay.set(row.id, { cancel, done })
      await Promise.race([this.leftQueue(row.id), entered.promise])
    }
  }

  /** A deployment counts as active once its row says so: until then the next one is not looked for. */
  private async leftQueue(id: DeploymentId): Promise<void> {
    for (;;) {
      const change = this.parts.changed.next()
      if ((await deploymentById(this.parts.db, id))?.state !== 'queued') return
      await change
    }
  }
}

/** After a crash: what was under way waits again, with a new attempt; a newer request takes its place where there is one. */
export async function requeueInterrupted({ db, now }: DeployParts): Promise<void> {
  for (const row of await deploymentsIn(db, activeStates)) {
    await db.transaction().execute(async (trx) => {
      const newer = await trx
        .selectFrom('deployments')
        .select('id')
        .where('demo_id', '=', row.demo_id)
        .where('state', '=', 'queued')
        .executeTakeFirst()
      const attempt = row.attempt + 1
      if (newer)
        await move(trx, row, 'superseded', now(), {
          attempt,
          superseded_by: newer.id,
          reason: 'a newer request took its place',
          token: null,
        })
      else await move(trx, row, 'queued', now(), { attempt, deadline_at: row.deadline_at })
    })
  }
}
