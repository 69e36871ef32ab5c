import { isActiveState } from '@origami/protocol/control'
import type { DeploymentId } from '@origami/protocol/demo'
import PQueue from 'p-queue'
import { logged } from '../logged.ts'
import type { QueuedDeployment } from '../store/deployment.ts'
import { deploymentById, letGo, move, noInstance } from '../store/deployments.ts'
import { nextQueued, queueStopped } from '../store/waiting-deployments.ts'
import { waited } from '../waited.ts'
import { deploy } from './deploy.ts'
import type { DeployParts } from './parts.ts'
import { tellWhyTheyWait } from './wait-for-room.ts'
import { workFolder } from './work-folder.ts'

interface UnderWay {
  readonly cancel: AbortController
  readonly done: Promise<void>
  readonly folder: string
  /**
   * Whether it clones and builds. A deployment that has its image already waits only for a slot and its instance, and
   * does not delay builds.
   */
  builds: boolean
  /** Whether nothing else is begun beside it. */
  readonly isAlone: boolean
}

/** The wait before an interrupted deployment is begun again. It doubles each time. */
const firstPauseMs = 500
const longestPauseMs = 60_000

/** Takes queued deployments one by one, at most one for each demo. The limit says how many build at the same time. */
export class DeploymentRunner {
  private readonly parts: DeployParts
  private readonly underWay = new Map<DeploymentId, UnderWay>()
  private readonly leaving = new AbortController()
  /** How often in a row a deployment was interrupted. */
  private readonly failures = new Map<DeploymentId, number>()
  /** Deployments that were interrupted a moment ago, and are left alone for a while. */
  private readonly putOff = new Set<DeploymentId>()
  private readonly turns = new PQueue({ concurrency: 1 })

  constructor(parts: DeployParts) {
    this.parts = parts
  }

  /** Starts the deployments that may start. Call it after anything that may allow another one. */
  wake(): void {
    // One waiting turn is enough: when it runs it sees everything that is queued by then.
    if (this.turns.size === 0)
      void this.turns.add(() => logged('deployments could not be started', () => this.startWhatMay()))
  }

  /**
   * Cancels a deployment that waits or is under way. Resolves once nothing of it is left, or once removing it took too
   * long. False: it had ended already, or switched over before the cancel reached it.
   */
  async cancel(id: DeploymentId): Promise<boolean> {
    const { db, now, changed } = this.parts
    const running = this.underWay.get(id)
    if (running) {
      running.cancel.abort('canceled')
      await this.endedInTime(running)
      return (await deploymentById(db, id))?.state === 'canceled'
    }
    const row = await deploymentById(db, id)
    const change = { reason: 'canceled', token: null, ...noInstance }
    // A deployment in an active state that is not under way here was interrupted.
    const waits = row !== undefined && !this.underWay.has(id) && (row.state === 'queued' || isActiveState(row.state))
    const canceled = waits && (await db.transaction().execute((trx) => move(trx, row, 'canceled', now(), change)))
    if (canceled) {
      changed.notify(row.demo_id)
      this.wake()
    }
    // It may have begun since the row was read.
    return canceled || (this.underWay.has(id) && this.cancel(id))
  }

  private async endedInTime({ done }: UnderWay): Promise<void> {
    const enough = new AbortController()
    await Promise.race([done, waited(this.parts.limits.stopMs, enough.signal)])
    enough.abort()
  }

  isUnderWay(id: DeploymentId): boolean {
    return this.underWay.has(id)
  }

  /** Whether an attempt that is under way uses this folder. */
  usesFolder(folder: string): boolean {
    return [...this.underWay.values()].some((deployment) => deployment.folder === folder)
  }

  /** Stops working on everything and leaves the rows for the next daemon. */
  async shutDown(): Promise<void> {
    this.leaving.abort('leaving')
    await this.turns.onIdle()
    const left = [...this.underWay]
    for (const [, { cancel }] of left) cancel.abort('leaving')
    await Promise.all(left.map(([, { done }]) => done))
    const ids = left.map(([id]) => id)
    await logged('it could not be noted what was let go', () => letGo(this.parts.db, ids))
  }

  private async startWhatMay(): Promise<void> {
    const { db, now, changed, space } = this.parts
    const lack = await space.lackFor('build')
    await logged('why deployments wait could not be stored', () => tellWhyTheyWait(this.parts, lack))
    // Where not even this can be stored, nothing is begun that would break off.
    if ((await space.lackFor('prediction')) !== undefined) return
    if (!this.leaving.signal.aborted) for (const demo of await queueStopped(db, now())) changed.notify(demo)
    while (!this.leaving.signal.aborted && ![...this.underWay.values()].some(({ isAlone }) => isAlone)) {
      const building = [...this.underWay.values()].filter(({ builds }) => builds).length
      const row = await nextQueued(
        db,
        [...this.underWay.keys(), ...this.putOff],
        lack === undefined && building < this.parts.limits.deployments,
      )
      if (!row || (this.isSuspect(row) && this.underWay.size > 0)) return
      this.begin(row)
    }
  }

  /**
   * Whether the next death of the daemon ends this deployment. It is worked on alone, so that the daemon does not die
   * of another one.
   */
  private isSuspect({ interruptions }: QueuedDeployment): boolean {
    return interruptions > 0 && interruptions + 1 >= this.parts.limits.interruptions
  }

  private begin(row: QueuedDeployment): void {
    const cancel = new AbortController()
    const built = () => this.built(row.id)
    const work = () => deploy(this.parts, row, cancel.signal, built)
    const done = logged(`deployment ${row.id} broke off`, work).then((isWhole) => {
      this.underWay.delete(row.id)
      if (isWhole) this.failures.delete(row.id)
      else void this.leaveAlone(row.id)
      this.wake()
    })
    const folder = workFolder(this.parts.work, row)
    this.underWay.set(row.id, { cancel, done, folder, builds: row.image === null, isAlone: this.isSuspect(row) })
  }

  /** A deployment that could not even be stored as failed would otherwise be begun again at once, without end. */
  private async leaveAlone(id: DeploymentId): Promise<void> {
    const failures = this.failures.get(id) ?? 0
    this.failures.set(id, failures + 1)
    this.putOff.add(id)
    await waited(Math.min(firstPauseMs * 2 ** failures, longestPauseMs), this.leaving.signal)
    this.putOff.delete(id)
    this.wake()
  }

  private built(id: DeploymentId): void {
    const deployment = this.underWay.get(id)
    if (!deployment?.builds) return
    deployment.builds = false
    this.wake()
  }
}
