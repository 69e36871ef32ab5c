import { isActiveState } from '@origami/protocol/control'
import type { DeploymentId } from '@origami/protocol/demo'
import PQueue from 'p-queue'
import { logged } from '../logged.ts'
import type { Queued } from '../store/deployment.ts'
import { deploymentById, letGo, move, noInstance } from '../store/deployments.ts'
import { nextQueued, queueStopped } from '../store/waiting-deployments.ts'
import { waited } from '../waited.ts'
import { deploy } from './deploy.ts'
import type { DeployParts } from './parts.ts'
import { workFolder } from './work-folder.ts'

interface UnderWay {
  readonly cancel: AbortController
  readonly done: Promise<void>
  readonly folder: string
  /** Clones and builds; what has its image waits for a slot and for its instance, and keeps nobody from building. */
  builds: boolean
}

/** Before a deployment that broke off is begun again; twice as long each time. */
const firstPauseMs = 500
const longestPauseMs = 60_000

/** Takes queued deployments one by one, one for each demo: as many build at a time as the limit says. */
export class Deployer {
  private readonly parts: DeployParts
  private readonly underWay = new Map<DeploymentId, UnderWay>()
  private readonly leaving = new AbortController()
  /** How often in a row a deployment broke off. */
  private readonly failures = new Map<DeploymentId, number>()
  /** Those that broke off a moment ago: they are left alone for a while. */
  private readonly putOff = new Set<DeploymentId>()
  private readonly turns = new PQueue({ concurrency: 1 })

  constructor(parts: DeployParts) {
    this.parts = parts
  }

  /** Starts what may start. Call it after anything that may let a deployment go. */
  wake(): void {
    // One turn that waits sees all that there is by then.
    if (this.turns.size === 0)
      void this.turns.add(() => logged('deployments could not be started', () => this.startWhatMay()))
  }

  /**
   * Cancels one that waits or is under way, and resolves once nothing of it is left, or what is left took too long to
   * be removed. False: it had ended, or switched over before it heard.
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
    // One that is active and not under way here broke off.
    const waits = row !== undefined && !this.underWay.has(id) && (row.state === 'queued' || isActiveState(row.state))
    const canceled = waits && (await db.transaction().execute((trx) => move(trx, row, 'canceled', now(), change)))
    if (canceled) {
      changed.notify(row.demo_id)
      this.wake()
    }
    // It may have been begun since it was looked for.
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

  /** Whether an attempt that is under way has this folder. */
  worksIn(folder: string): boolean {
    return [...this.underWay.values()].some((deployment) => deployment.folder === folder)
  }

  /** Lets go of everything, leaving rows for the next daemon. */
  async leave(): Promise<void> {
    this.leaving.abort('leaving')
    await this.turns.onIdle()
    const left = [...this.underWay]
    for (const [, { cancel }] of left) cancel.abort('leaving')
    await Promise.all(left.map(([, { done }]) => done))
    const ids = left.map(([id]) => id)
    await logged('it could not be noted what was let go', () => letGo(this.parts.db, ids))
  }

  private async startWhatMay(): Promise<void> {
    const { db, now, changed } = this.parts
    if (!this.leaving.signal.aborted) for (const demo of await queueStopped(db, now())) changed.notify(demo)
    while (!this.leaving.signal.aborted) {
      const building = [...this.underWay.values()].filter(({ builds }) => builds).length
      const row = await nextQueued(
        db,
        [...this.underWay.keys(), ...this.putOff],
        building < this.parts.limits.deployments,
      )
      if (!row) return
      this.begin(row)
    }
  }

  private begin(row: Queued): void {
    const cancel = new AbortController()
    const built = () => this.built(row.id)
    const work = () => deploy(this.parts, row, cancel.signal, built)
    const done = logged(`deployment ${row.id} broke off`, work).then((isWhole) => {
      this.underWay.delete(row.id)
      if (isWhole) this.failures.delete(row.id)
      else void this.leaveAlone(row.id)
      this.wake()
    })
    this.underWay.set(row.id, { cancel, done, folder: workFolder(this.parts.work, row), builds: row.image === null })
  }

  /** One that could not even be stored as failed would be begun again at once, for ever. */
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
