import type { DeploymentRunner } from '../deploy/deployment-runner.ts'
import { endInstance, logDrained } from '../deploy/instance.ts'
import { manifestOf } from '../deploy/manifest.ts'
import type { DeployParts } from '../deploy/parts.ts'
import { retire } from '../deploy/retire.ts'
import type { Instance } from '../engine/engine.ts'
import { logged } from '../logged.ts'
import type { RunningDeployment } from '../store/deployment.ts'
import { deploymentById, deploymentsByState, note, notReached } from '../store/deployments.ts'
import { crashed } from './crashes.ts'
import { failOverdue } from './deadlines.ts'
import { keepsInstance, pruneImages } from './good-versions.ts'
import { isPutOff, revive } from './revive.ts'
import { sweepWork } from './work-folders.ts'

/**
 * Compares the store with the engine and brings them into agreement: at boot, every 30 s, and when an instance exits. A
 * step that fails is logged and does not affect the others. The next round repeats it.
 */
export class Reconciler {
  private readonly parts: DeployParts
  private readonly runner: DeploymentRunner
  private readonly since = new Date()
  /** Exits that happened while the engine or the daemon was away do not count as crashes. */
  private wasAway = true

  constructor(parts: DeployParts, runner: DeploymentRunner) {
    this.parts = parts
    this.runner = runner
  }

  async round(): Promise<void> {
    await logged('demos are not kept from networks', () => this.parts.engine.isolate())
    await logged('what runs could not be compared with what should', () => this.compare())
    await logged('images could not be looked through', () => pruneImages(this.parts))
    await logged('the cache of builds could not be dropped', () => this.makeRoom())
    await logged('deadlines could not be looked at', () => failOverdue(this.parts, this.runner))
    await logged('folders of deployments could not be looked through', () =>
      sweepWork(this.parts.work, this.since, (folder) => this.runner.usesFolder(folder)),
    )
    this.runner.wake()
  }

  /** Deployments that wait for room would wait for ever for what only their own cache takes. */
  private async makeRoom(): Promise<void> {
    const { db, engine, space, limits } = this.parts
    const waiting = await deploymentsByState(db, ['queued'])
    if (waiting.every(({ image }) => image !== null) || (await space.lackFor('build')) === undefined) return
    await engine.dropCaches(AbortSignal.timeout(limits.buildMs))
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

  /** A version that should serve is followed where it runs, or started again. */
  private async keepServing(row: RunningDeployment, instance: Instance | undefined, wasAway: boolean): Promise<void> {
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

  /** Whether a `recreate` deploy stopped this version on purpose. That deploy takes care of it. */
  private async deployedAnew(row: RunningDeployment): Promise<boolean> {
    const active = await deploymentsByState(this.parts.db, ['starting', 'health_checking', 'switching'])
    return (
      !row.instance?.reached &&
      active.some((other) => other.demo_id === row.demo_id && manifestOf(other).strategy === 'recreate')
    )
  }

  private async restart(row: RunningDeployment, left: Instance | undefined, wasAway: boolean): Promise<void> {
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
   * Removes an instance of ours whose deployment ended or is unknown. The removal is a task of that deployment, so that
   * nothing starts the instance again meanwhile. Whoever needs the deployment ends the task, which kills the instance.
   */
  private async removeUnclaimed({ id, deployment }: Instance): Promise<void> {
    const { db, tasks } = this.parts
    if (tasks.has(deployment) || this.runner.isUnderWay(deployment)) return
    tasks.start(deployment, async (signal) => {
      const row = await deploymentById(db, deployment)
      if (!row || !keepsInstance(row.state)) await endInstance(this.parts, id, { signal })
    })
    await tasks.done(deployment)
  }
}
