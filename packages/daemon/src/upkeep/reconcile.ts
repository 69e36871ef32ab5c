import type { Deployer } from '../deploy/deployer.ts'
import { endInstance, logDrained } from '../deploy/instance.ts'
import { manifestOf } from '../deploy/manifest.ts'
import type { DeployParts } from '../deploy/parts.ts'
import { retire } from '../deploy/retire.ts'
import type { Instance } from '../engine/engine.ts'
import { logged } from '../logged.ts'
import type { Running } from '../store/deployment.ts'
import { deploymentById, deploymentsByState, note, notReached } from '../store/deployments.ts'
import { crashed } from './crashes.ts'
import { failOverdue } from './deadlines.ts'
import { keepsInstance, pruneImages } from './good-versions.ts'
import { isPutOff, revive } from './revive.ts'
import { sweepWork } from './work-folders.ts'

/**
 * Compares the store with the engine and brings them together. The same at boot, every 30 s, and when an instance
 * exits. One step that fails is logged and leaves the others alone: the next round comes to it again.
 */
export class Reconciler {
  private readonly parts: DeployParts
  private readonly deployer: Deployer
  private readonly since = new Date()
  /** Exits of while the engine or the daemon was away are nobody's crash. */
  private wasAway = true

  constructor(parts: DeployParts, deployer: Deployer) {
    this.parts = parts
    this.deployer = deployer
  }

  async round(): Promise<void> {
    await logged('what runs could not be compared with what should', () => this.compare())
    await logged('images could not be looked through', () => pruneImages(this.parts))
    await logged('deadlines could not be looked at', () => failOverdue(this.parts, this.deployer))
    await logged('folders of deployments could not be looked through', () =>
      sweepWork(this.parts.work, this.since, (folder) => this.deployer.worksIn(folder)),
    )
    this.deployer.wake()
  }

  private async compare(): Promise<void> {
    const { db, engine } = this.parts
    const away = this.wasAway
    this.wasAway = true
    const instances = await engine.list()
    this.wasAway = false
    const byDeployment = new Map(instances.map((instance) => [instance.deployment, instance]))
    for (const row of await deploymentsByState(db, ['running']))
      await logged(`deployment ${row.id} could not be looked after`, () =>
        this.keepServing(row, byDeployment.get(row.id), away),
      )
    for (const row of await deploymentsByState(db, ['draining']))
      this.parts.tasks.start(row.id, (signal) => retire(this.parts, row, signal))
    await Promise.all(instances.map((instance) => this.removeUnclaimed(instance)))
  }

  /** One that is meant to serve: followed where it is, or started again. */
  private async keepServing(row: Running, instance: Instance | undefined, wasAway: boolean): Promise<void> {
    const { db, pumps, changed, tasks } = this.parts
    if (tasks.has(row.id) || (await this.deployedAnew(row))) return
    const reached = row.instance?.reached
    if (instance?.state === 'running' && reached) {
      pumps.start(row.id, instance.id)
      if (!instance.endpoint || instance.endpoint === reached.endpoint) return
      await note(db, row, { endpoint: instance.endpoint, instance: instance.id })
      changed.notify(row.demo_id)
    } else {
      await this.restart(row, instance, wasAway)
    }
  }

  /** A `recreate` deploy stopped it on purpose, and looks after it. */
  private async deployedAnew(row: Running): Promise<boolean> {
    const active = await deploymentsByState(this.parts.db, ['starting', 'health_checking', 'switching'])
    return (
      !row.instance?.reached &&
      active.some((other) => other.demo_id === row.demo_id && manifestOf(other).strategy === 'recreate')
    )
  }

  private async restart(row: Running, left: Instance | undefined, wasAway: boolean): Promise<void> {
    const { db, clock, changed, tasks } = this.parts
    if (isPutOff(row, clock())) return
    const exited = left?.state === 'exited' ? left : undefined
    if (row.instance?.reached) {
      await note(db, row, notReached)
      changed.notify(row.demo_id)
    }
    tasks.start(row.id, async (signal) => {
      if (exited) await logDrained(this.parts, exited.id)
      if (exited && !wasAway) await crashed(this.parts, row, exited.exit?.outOfMemory ? 'ran out of memory' : 'exited')
      await revive(this.parts, row, signal)
    })
  }

  /**
   * Ours, but nobody's: of a deployment that ended or is not known. It is removed as a task, so that nobody starts it
   * again meanwhile; who wants to has it killed.
   */
  private async removeUnclaimed({ id, deployment }: Instance): Promise<void> {
    const { db, tasks } = this.parts
    if (tasks.has(deployment) || this.deployer.isUnderWay(deployment)) return
    tasks.start(deployment, async (signal) => {
      const row = await deploymentById(db, deployment)
      if (!row || !keepsInstance(row.state)) await endInstance(this.parts, id, { signal })
    })
    await tasks.done(deployment)
  }
}
