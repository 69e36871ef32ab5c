import { logger } from '@origami/host/logger'
import type { DemoId, DeploymentId } from '@origami/protocol/demo'
import { logged } from '../logged.ts'
import type { Route } from '../store/demos.ts'
import { deploymentById } from '../store/deployments.ts'
import type { OpenPrediction } from '../store/open-predictions.ts'
import { cancelUnsent, changePrediction } from '../store/predictions.ts'
import { Ending } from './ending.ts'
import { InstanceRun, type Outcome, type Target } from './instance-run.ts'
import { next } from './next.ts'
import { NoRoom } from './no-room.ts'
import type { DispatcherParts, InstanceFault, SentPrediction } from './parts.ts'
import { fullPatienceMs, Refusals } from './refusals.ts'

const log = logger('predictions')

type Routes = ReadonlyMap<DemoId, Route>

/** What the row says of a prediction that no instance has. */
const nowhere = { sent_to: null, deployment: null, commit_sha: null }

/** The wait after a failed round, on a full disk for example. */
const afterFailureMs = 1000

/**
 * Sends waiting predictions to instances, never more to one instance than its concurrency, and resumes those that were
 * sent before. A prediction that no instance accepted keeps its place and is tried again after longer and longer waits.
 */
export class Dispatcher {
  private readonly parts: DispatcherParts
  private readonly signal: AbortSignal
  private readonly runs = new Map<number, Promise<void>>()
  /** The endpoint of the instance that certainly does not have a prediction, by the prediction's arrival. */
  private readonly absentAt = new Map<number, string>()
  private readonly refusals: Refusals
  private readonly noRoom: NoRoom

  constructor(parts: DispatcherParts, signal: AbortSignal) {
    this.parts = parts
    this.signal = signal
    const clockMs = parts.clockMs ?? (() => performance.now())
    this.refusals = new Refusals(parts.limits, (...found) => void this.lookAt(...found), clockMs)
    this.noRoom = new NoRoom(clockMs)
  }

  /** Works until the signal aborts: one round after each change, and one when an instance may be tried again. */
  async work(): Promise<void> {
    while (!this.signal.aborted) {
      const pause = new AbortController()
      const change = this.parts.changed.untilSendable(AbortSignal.any([this.signal, pause.signal]))
      const wait = await this.round().catch((error: unknown) => {
        if (!this.signal.aborted) log.error('predictions could not be sent; tried again soon', error)
        return afterFailureMs
      })
      const timer = wait === undefined ? undefined : setTimeout(() => pause.abort(), wait)
      await change
      clearTimeout(timer)
    }
    await Promise.all(this.runs.values())
    await this.parts.commits.flush()
  }

  /**
   * Sends what may be sent. Returns the milliseconds until the next round is due without a change. Undefined: none is
   * due.
   */
  private async round(): Promise<number | undefined> {
    const { demos, limits } = this.parts
    const [open, ways] = [await this.parts.open.all(), await demos.routes()]
    this.forget(open, ways)
    // Computed first: otherwise no round would try an instance whose pause ends during this round.
    const wait = this.untilNextTry(open, ways)
    let failed = false
    const tried = async ({ id }: OpenPrediction, work: () => Promise<void>) => {
      if (!(await logged(`prediction ${id} could not be taken up; tried again soon`, work))) failed = true
    }
    for (const row of open)
      if (!this.runs.has(row.arrival)) await tried(row, () => this.takeUp(row, ways.get(row.demo)))
    const rows = open.map((row) => ({
      ...row,
      running: row.running || this.runs.has(row.arrival) || this.isUnsure(row),
    }))
    const ready = [...ways].filter(([, { endpoint }]) => this.refusals.waitMs(endpoint) === 0)
    const concurrency = new Map(ready.map(([demo, { schema }]) => [demo, schema.concurrency] as const))
    for (const row of next(rows, concurrency, limits)) {
      const route = ways.get(row.demo)
      if (route) await tried(row, () => this.follow(row.arrival, route, (run) => run.send(false)))
    }
    return failed ? Math.min(afterFailureMs, wait ?? afterFailureMs) : wait
  }

  /** Resumes a prediction that was sent or canceled before and that nothing follows now. */
  private async takeUp(row: OpenPrediction, route: Route | undefined): Promise<void> {
    const { arrival, sentTo } = row
    const unsure = row.running || this.isUnsure(row)
    if (!unsure && row.cancelRequested) return this.canceled(row)
    if (!unsure && sentTo !== null && sentTo !== route?.endpoint) return this.leaveInstance(row)
    if (!unsure || (!row.cancelRequested && this.refusals.waitMs(sentTo ?? '') > 0)) return
    if (!row.running && route?.endpoint === sentTo && !row.cancelRequested)
      return this.follow(arrival, route, (run) => run.send(true))
    const deployment = row.deployment ? await deploymentById(this.parts.db, row.deployment) : undefined
    const reached = deployment?.instance?.reached?.endpoint
    const endpoint = sentTo ?? reached
    if (!deployment?.schema || !deployment.manifest || !endpoint) return this.lost(row)
    const { id, commit, schema, manifest: times } = deployment
    const target = { endpoint, deployment: { id, commit_sha: commit?.sha ?? null }, schema, times }
    await this.follow(arrival, target, (run) => (row.running ? run.join() : run.settle(reached === endpoint)))
  }

  private isUnsure({ arrival, sentTo, running }: OpenPrediction): boolean {
    return !running && sentTo !== null && this.absentAt.get(arrival) !== sentTo
  }

  private async follow(arrival: number, target: Target, work: (run: InstanceRun) => Promise<Outcome>): Promise<void> {
    const input = await this.parts.open.inputOf(arrival)
    const open = await this.parts.open.find(arrival)
    if (!input || !open || this.runs.has(arrival)) return
    const row = { ...open, ...input }
    const run = new InstanceRun(this.parts, row, target, this.signal, () => this.refusals.took(target.endpoint))
    const done = work(run)
      .then((outcome) => this.noteOutcome(row, target, outcome))
      .catch((error: unknown) => {
        log.error(`prediction ${row.id} could not be ended; it is taken up again`, error)
        this.refusals.refused(target)
      })
      .finally(() => {
        this.runs.delete(arrival)
        this.parts.changed.workChanged()
      })
    this.runs.set(arrival, done)
  }

  private async noteOutcome(row: SentPrediction, target: Target, outcome: Outcome): Promise<void> {
    const { arrival } = row
    if (outcome === 'refused' || outcome === 'full') this.absentAt.set(arrival, target.endpoint)
    else this.absentAt.delete(arrival)
    if (outcome === 'over' || this.signal.aborted) return
    if (outcome !== 'full') return this.refusals.refused(target)
    this.refusals.full(target)
    const forMs = this.noRoom.found(arrival, await this.runsAt(target.deployment.id))
    // After half of this time the instance was restarted, and there is no room even so.
    if (forMs >= 2 * fullPatienceMs(target.times)) await new Ending(this.parts, row).noRoom()
  }

  private async canceled({ arrival, demo }: OpenPrediction): Promise<void> {
    const { commits, now, changed } = this.parts
    const isCanceled = await commits.run(async (trx) => {
      await changePrediction(trx, arrival, 'starting', nowhere)
      return cancelUnsent(trx, arrival, now())
    })
    if (isCanceled) changed.predictionChanged(demo, arrival, 'ended')
  }

  /**
   * The instance refused it and is no longer a route. Clearing the instance from the row lets a draining version end
   * without it.
   */
  private async leaveInstance({ arrival, demo }: OpenPrediction): Promise<void> {
    const { commits, changed } = this.parts
    if (await commits.run((trx) => changePrediction(trx, arrival, 'starting', nowhere)))
      changed.predictionChanged(demo, arrival, { sentTo: null, deployment: null, commit: null })
  }

  /** Fails a prediction when nothing says any more where it ran. */
  private async lost(row: OpenPrediction): Promise<void> {
    const input = await this.parts.open.inputOf(row.arrival)
    if (input) await new Ending(this.parts, { ...row, ...input }).wentAway()
  }

  /** An instance whose places are taken by predictions that were sent to it refuses rightly, and is left alone. */
  private async lookAt(deployment: DeploymentId, fault: InstanceFault): Promise<void> {
    try {
      if (await this.runsAt(deployment)) return
      log.error(`the instance of deployment ${deployment} ${fault}, though nothing runs in it`)
      this.parts.lookAt?.(deployment, fault)
    } catch (error) {
      log.error(
        `whether deployment ${deployment} is well could not be told; it is asked again when it refuses again`,
        error,
      )
    }
  }

  private async runsAt(deployment: DeploymentId): Promise<boolean> {
    return (await this.parts.open.all()).some((row) => row.running && row.deployment === deployment)
  }

  private forget(open: readonly OpenPrediction[], ways: Routes): void {
    const arrivals = new Set(open.map(({ arrival }) => arrival))
    for (const arrival of this.absentAt.keys()) if (!arrivals.has(arrival)) this.absentAt.delete(arrival)
    this.noRoom.keep(open)
    const sentTo = open.flatMap((row) => row.sentTo ?? [])
    this.refusals.keep(new Set([...[...ways.values()].map(({ endpoint }) => endpoint), ...sentTo]))
  }

  private untilNextTry(open: readonly OpenPrediction[], ways: Routes): number | undefined {
    const endpoints = new Set(open.flatMap((row) => [row.sentTo ?? [], ways.get(row.demo)?.endpoint ?? []].flat()))
    const waits = [...endpoints].map((endpoint) => this.refusals.waitMs(endpoint)).filter((wait) => wait > 0)
    return waits.length > 0 ? Math.min(...waits) : undefined
  }
}
