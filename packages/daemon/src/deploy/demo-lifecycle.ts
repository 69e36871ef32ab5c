import { createHash } from 'node:crypto'
import { logger } from '@origami/host/logger'
import { activeStates, isEnded, parseRepoLink } from '@origami/protocol/control'
import type { DemoId, DeploymentId } from '@origami/protocol/demo'
import { logged } from '../logged.ts'
import { deleteDemo, demoById, setWant, wantDemo } from '../store/demos.ts'
import type { Deployment } from '../store/deployment.ts'
import {
  deploymentById,
  deploymentsByState,
  deploymentsOf,
  move,
  noInstance,
  note,
  notPutOff,
} from '../store/deployments.ts'
import { addEvent } from '../store/events.ts'
import type { Trx } from '../store/open.ts'
import { openPredictions } from '../store/open-predictions.ts'
import { failWaiting } from '../store/predictions.ts'
import { addDeployment, isComing, returnToQueue } from '../store/waiting-deployments.ts'
import { waited } from '../waited.ts'
import type { DeploymentRunner } from './deployment-runner.ts'
import { endInstance } from './instance.ts'
import type { DeployParts } from './parts.ts'

const log = logger('deploy')

/** Nothing can be started: the demo was never live, or its image is gone. */
class NothingToStart extends Error {
  override readonly name = 'NothingToStart'
  readonly statusCode = 409
}

/** Removes the files and rows of a demo's predictions. */
export type ForgetPredictions = (demo: DemoId) => Promise<void>

/** What a demo's owner may do to it. Every method but `trigger` is idempotent. */
export class DemoLifecycle {
  private readonly parts: DeployParts
  private readonly runner: DeploymentRunner
  private readonly forgetPredictions: ForgetPredictions

  constructor(parts: DeployParts, runner: DeploymentRunner, forgetPredictions: ForgetPredictions) {
    this.parts = parts
    this.runner = runner
    this.forgetPredictions = forgetPredictions
  }

  /** Stores a request to deploy the newest commit. Throws LinkError. */
  async trigger(user: string, link: string, token: string | null): Promise<{ demo: DemoId; deployment: DeploymentId }> {
    const repo = parseRepoLink(link, this.parts.forges)
    const demo = demoIdOf(user, repo.canonical)
    const deployment = await this.changing(demo, async (trx) => {
      if ((await demoById(trx, demo))?.want === 'stopped') await this.addOnEvent(trx, demo)
      await wantDemo(trx, { id: demo, user_id: user, repolink: repo.canonical }, this.parts.now())
      return addDeployment(trx, demo, this.parts.now(), (id) =>
        token === null ? null : this.parts.vault.seal(token, id),
      )
    })
    this.runner.wake()
    return { demo, deployment }
  }

  /**
   * When this resolves the demo is stored as stopped, and nothing serves. What does not end in time, or cannot be ended
   * now, is left to the rounds. False: there is no such demo.
   */
  async stop(id: DemoId): Promise<boolean> {
    if (!(await demoById(this.parts.db, id))) return false
    const open = await this.changing(id, (trx) => this.wantStopped(trx, id))
    const enough = new AbortController()
    const ended = logged(`what runs of demo ${id} could not be ended now`, () => this.endAll(id, open))
    const late = waited(this.parts.limits.stopMs, enough.signal).then(
      (over) => over && log.error(`demo ${id} is stopped, and still ends`),
    )
    await Promise.race([ended, late])
    enough.abort()
    return true
  }

  private async endAll(id: DemoId, open: readonly DeploymentId[]): Promise<void> {
    const { db, engine, tasks } = this.parts
    await Promise.all(open.map((deployment) => this.runner.cancel(deployment)))
    await Promise.all(open.map((deployment) => tasks.end(deployment)))
    for (const { id: instance, deployment } of await engine.instancesOf(id)) {
      const row = await deploymentById(db, deployment)
      // If the owner deploys or starts the demo again meanwhile, that newer wish counts.
      if (!row || isEnded(row.state)) await endInstance(this.parts, instance)
    }
  }

  /**
   * Marks the demo as stopped, so that nothing of it serves, waits or is under way. Attempts that still run can write
   * nothing more. Returns the deployments that this ended.
   */
  private async wantStopped(trx: Trx, id: DemoId): Promise<DeploymentId[]> {
    const now = this.parts.now()
    const demo = await demoById(trx, id)
    if (demo?.want === 'on') {
      await setWant(trx, id, 'stopped')
      await failWaiting(trx, id, 'stopped', 'The demo was stopped by its owner.', now)
      await addEvent(trx, { demo: id, deployment: null, from: 'on', to: 'stopped', reason: null, at: now })
    }
    const states = ['queued', ...activeStates, 'running', 'draining'] as const
    const open = (await deploymentsByState(trx, states)).filter((row) => row.demo_id === id)
    for (const row of open) {
      const over = { attempt: row.attempt + 1, token: null, ...noInstance }
      if (row.state === 'running' || demo?.serving === row.id) await move(trx, row, 'stopped', now, over)
      else if (row.state === 'draining') await move(trx, row, 'retired', now, over)
      else await move(trx, row, 'canceled', now, { ...over, image: null, reason: 'the demo was stopped' })
    }
    return open.map((row) => row.id)
  }

  /**
   * Starts from its image what `stop` stopped or what crashed too often. A version that waits for its next try is tried
   * now. False: there is no such demo. Throws NothingToStart.
   */
  async start(id: DemoId): Promise<boolean> {
    const { now } = this.parts
    const started = await this.changing(id, async (trx) => {
      const demo = await demoById(trx, id)
      if (!demo) return false
      const serving = demo.serving ? await deploymentById(trx, demo.serving) : undefined
      if (serving?.state === 'running' && demo.want === 'on') {
        if (serving.put_off !== null) await note(trx, serving, { ...notPutOff, reason: null })
        return true
      }
      if (!serving) throw new NothingToStart('It was never live, so there is nothing to start; deploy it.')
      if (serving.image === null && isEnded(serving.state)) throw new NothingToStart(imageGone)
      if (demo.want !== 'on') await this.addOnEvent(trx, id)
      await setWant(trx, id, 'on')
      // A newer deployment goes first. If it fails, the stopped version is started.
      if (!(await isComing(trx, id))) await returnToQueue(trx, serving, now())
      else if (isEnded(serving.state)) await move(trx, serving, 'stopped', now(), { attempt: serving.attempt + 1 })
      return true
    })
    this.runner.wake()
    this.parts.lookAfter()
    return started
  }

  /** Removes the demo and everything of it but the event that reports the removal. False: there is no such demo. */
  async remove(id: DemoId): Promise<boolean> {
    const { db, engine, logs, now } = this.parts
    if (!(await this.stop(id))) return false
    for (const instance of await engine.instancesOf(id)) await engine.remove(instance.id)
    for (const image of await engine.images()) if (image.demo === id) await engine.removeImage(image.ref)
    await engine.forget(id)
    await this.untilNothingRuns(id)
    await this.forgetPredictions(id)
    await this.changing(id, async (trx) => {
      await deleteDemo(trx, id)
      await addEvent(trx, { demo: id, deployment: null, from: null, to: 'removed', reason: null, at: now() })
    })
    await logs.forget(id)
    return (await demoById(db, id)) === undefined
  }

  async cancel(id: DeploymentId): Promise<boolean> {
    return this.runner.cancel(id)
  }

  private addOnEvent(trx: Trx, demo: DemoId): Promise<void> {
    const at = this.parts.now()
    return addEvent(trx, { demo, deployment: null, from: 'stopped', to: 'on', reason: null, at })
  }

  private async untilNothingRuns(id: DemoId): Promise<void> {
    const patience = AbortSignal.timeout(this.parts.limits.stopMs)
    while (!patience.aborted) {
      const change = this.parts.changed.untilDemoChanges(id, patience)
      if ((await openPredictions(this.parts.db, id)).length === 0) return
      await change
    }
  }

  private async changing<Result>(demo: DemoId, work: (trx: Trx) => Promise<Result>): Promise<Result> {
    const result = await this.parts.commits.inOrder(work)
    this.parts.changed.notify(demo)
    return result
  }

  /** The demo that a deployment belongs to, from the store. */
  async demoOf(id: DeploymentId): Promise<DemoId | undefined> {
    return (await deploymentById(this.parts.db, id))?.demo_id
  }

  async newestOf(id: DemoId): Promise<Deployment | undefined> {
    return (await deploymentsOf(this.parts.db, id, 1))[0]
  }
}

const imageGone = 'The image of the version that was live last is gone, so there is nothing to start; deploy it again.'

/** md5(user_id + canonical link). It is a name and never authorises anything. */
const demoIdOf = (user: string, canonicalLink: string): DemoId =>
  createHash('md5').update(user).update(canonicalLink).digest('hex') as DemoId
