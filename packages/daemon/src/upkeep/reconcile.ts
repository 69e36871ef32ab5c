import { activeStates, type DeploymentState } from '@origami/protocol/control'
import type { Deployer } from '../deploy/deployer.ts'
import type { DeployParts } from '../deploy/parts.ts'
import type { Instance } from '../engine/engine.ts'
import { deploymentById, deploymentsIn, move, note } from '../store/deployments.ts'
import type { DeploymentRow } from '../store/tables.ts'
import { retire } from './retire.ts'
import { revive } from './revive.ts'

const crashesAllowed = 3
const crashWindowMs = 10 * 60_000
/** States whose image may be started, now or again. */
const keepsImage = new Set<DeploymentState>(['queued', ...activeStates, 'running', 'draining', 'stopped', 'runtime_error'])

/** Compares the store with the engine and brings them together. The same at boot, every 30 s, and when an instance exits. */
export class Reconciler {
  private readonly parts: DeployParts
  private readonly deployer: Deployer
  private readonly signal: AbortSignal
  private turn: Promise<void> = Promise.resolve()

  constructor(parts: DeployParts, deployer: Deployer, signal: AbortSignal) {
    this.parts = parts
    this.deployer = deployer
    this.signal = signal
  }

  /** One round; rounds never overlap. */
  run(): Promise<void> {
    this.turn = this.turn.then(() => (this.signal.aborted ? undefined : this.round()))
    return this.turn
  }

  async settled(): Promise<void> {
    await this.turn
    await this.parts.tasks.settled()
  }

  private async round(): Promise<void> {
    const instances = await this.parts.engine.list()
    const of = new Map(instances.map((instance) => [instance.deployment, instance]))
    for (const row of await deploymentsIn(this.parts.db, ['running'])) await this.serving(row, of.get(row.id))
    for (const row of await deploymentsIn(this.parts.db, ['draining']))
      this.parts.tasks.start(row.id, () => retire(this.parts, row))
    for (const instance of instances) await this.orphan(instance)
    for (const image of await this.parts.engine.images()) {
      const row = await deploymentById(this.parts.db, image.deployment)
      if (!row || !keepsImage.has(row.state)) await this.parts.engine.removeImage(image.ref)
    }
    this.deployer.wake()
  }

  /** One that is meant to serve: followed where it is, or started again. */
  private async serving(row: DeploymentRow, instance: Instance | undefined): Promise<void> {
    const { db, pumps, changed, tasks } = this.parts
    if (tasks.has(row.id) || (await this.deployedAnew(row))) return
    if (instance?.state === 'running') {
      pumps.start(row.id, instance.id)
      if (!instance.endpoint || instance.endpoint === row.endpoint) return
      await note(db, row, { endpoint: instance.endpoint, instance: instance.id })
      changed.notify(row.demo_id)
    } else {
      await this.again(row, instance)
    }
  }

  /** A `recreate` deploy stopped it on purpose, and looks after it. */
  private async deployedAnew(row: DeploymentRow): Promise<boolean> {
    const active = await deploymentsIn(this.parts.db, ['building', 'starting', 'health_checking', 'switching'])
    return row.endpoint === null && active.some((other) => other.demo_id === row.demo_id)
  }

  private async again(row: DeploymentRow, instance: Instance | undefined): Promise<void> {
    const { db, now, clock, changed, logs, pumps } = this.parts
    const recent = row.crashed_at !== null && clock() - Date.parse(row.crashed_at) < crashWindowMs
    const crashes = instance ? (recent ? row.crashes : 0) + 1 : row.crashes
    if (instance) await pumps.drained(instance.id)
    if (crashes > crashesAllowed) {
      const why = instance?.exit?.outOfMemory ? 'ran out of memory' : 'exited'
      const reason = `It ${why} ${crashes} times within ten minutes; its last lines are in the log`
      const log_tail = JSON.stringify(await logs.tail(row.demo_id, 200))
      await db.transaction().execute((trx) => move(trx, row, 'runtime_error', now(), { reason, log_tail, endpoint: null }))
      changed.notify(row.demo_id)
      return
    }
    await note(db, row, { endpoint: null, crashes, ...(instance ? { crashed_at: now() } : {}) })
    changed.notify(row.demo_id)
    const fresh = await deploymentById(db, row.id)
    if (fresh) this.parts.tasks.start(row.id, () => revive(this.parts, fresh, this.signal))
  }

  /** Ours, but nobody's: of a deployment that ended or is not known. */
  private async orphan(instance: Instance): Promise<void> {
    if (this.parts.tasks.has(instance.deployment) || this.deployer.isUnderWay(instance.deployment)) return
    const row = await deploymentById(this.parts.db, instance.deployment)
    if (row && keepsImage.has(row.state) && row.state !== 'stopped') return
    await this.parts.engine.stop(instance.id, 5_000)
    await this.parts.engine.remove(instance.id)
  }
}
