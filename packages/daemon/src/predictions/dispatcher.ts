import { logger } from '@origami/host/logger'
import type { DemoId, DeploymentId } from '@origami/protocol/demo'
import { logged } from '../logged.ts'
import type { Route } from '../store/demos.ts'
import { deploymentById } from '../store/deployments.ts'
import type { OpenPrediction } from '../store/open-predictions.ts'
import { cancelUnsent, changePrediction } from '../store/predictions.ts'
import { Ending } from './ending.ts'
import { InstanceRun, type Outcome, type Target } from './instance/instance-run.ts'
import { NoRoom } from './instance/no-room.ts'
import { fullPatienceMs, Refusals } from './instance/refusals.ts'
import type { DispatcherParts, InstanceFault, SentPrediction } from './parts.ts'
import type { Ready } from './turns/turns.ts'
import { Wake } from './wake.ts'

const log = logger('predictions')

type Routes = ReadonlyMap<DemoId, Route>

/** What the row says of a prediction that no instance has. */
const nowhere = { sent_to: null, deployment: null, commit_sha: null }

/**
 * The longest that the predictions ahead in an instance may run in all, in seconds. Their order is settled: a visitor
 * who comes meanwhile waits for them, also where it would be their turn.
 */
const aheadSeconds = 0.25

/** The wait after a failed round, on a full disk for example. */
const afterFailureMs = 1000

/**
 * Sends waiting predictions to instances, never more to one instance than its concurrency, and resumes those that were
 * sent before. A prediction that no instance accepted keeps its place and is tried again after longer and longer waits.
 */
export class Dispatcher {
  private readonly parts: DispatcherParts
  private readonly signal: AbortSignal
  private readonly runs = new Set<Promise<void>>()
  private readonly refusals: Refusals
  private readonly noRoom: NoRoom

  constructor(parts: DispatcherParts, signal: AbortSignal) {
    this.parts = parts
    this.signal = signal
    const clockMs = parts.clockMs ?? (() => performance.now())
    this.refusals = new Refusals(parts.limits, (...found) => this.lookAt(...found), clockMs)
    this.noRoom = new NoRoom(clockMs)
  }

  /** Works until the signal aborts: one round after each change, and one when an instance may be tried again. */
  async work(): Promise<void> {
    const wake = new Wake()
    const endWatch = this.parts.changed.onSendable(wake.wake)
    this.signal.addEventListener('abort', wake.wake)
    while (!this.signal.aborted) {
      const wait = await this.round().catch((error: unknown) => {
        if (!this.signal.aborted) log.error('predictions could not be sent; tried again soon', error)
        return afterFailureMs
      })
      const timer = wait === undefined ? undefined : setTimeout(wake.wake, wait)
      await wake.sleep()
      clearTimeout(timer)
    }
    endWatch()
    await Promise.all(this.runs)
    await this.parts.commits.flush()
  }

  /**
   * Sends what may be sent. Returns the milliseconds until the next round is due without a change. Undefined: none is
   * due.
   */
  private async round(): Promise<number | undefined> {
    const { demos, open, turns } = this.parts
    if (!open.isUpToDate) await open.upToDate()
    const ways = await demos.routes()
    this.forget(ways)
    // Computed first: otherwise no round would try an instance whose pause ends during this round.
    const wait = this.untilNextTry(ways)
    let failed = false
    for (const row of turns.left.filter((one) => !this.isToBeSent(one, ways))) {
      const work = () => this.takeUp(row, ways.get(row.demo))
      if (!(await logged(`prediction ${row.id} could not be taken up; tried again soon`, work))) failed = true
    }
    turns.sendTo(this.ready(ways))
    for (let chosen = turns.next(); chosen; chosen = turns.next()) {
      const route = ways.get(chosen.row.demo)
      if (!route) break
      this.follow(chosen.row, route, (run) => run.send(false), chosen.isAhead)
    }
    return failed ? Math.min(afterFailureMs, wait ?? afterFailureMs) : wait
  }

  private ready(ways: Routes): ReadonlyMap<DemoId, Ready> {
    const well = [...ways].filter(([, { endpoint }]) => this.refusals.waitMs(endpoint) === 0)
    return new Map(
      well.map(([demo, route]) => [
        demo,
        { ...route, concurrency: route.schema.concurrency, ahead: this.aheadOf(demo, route) },
      ]),
    )
  }

  /** How many the instance is sent beyond its concurrency: as many as it takes and do not run for long there. */
  private aheadOf(demo: DemoId, { endpoint, schema }: Route): number {
    const { ahead, times, turns } = this.parts
    const { waiting, sent } = turns.of(demo)
    if (waiting + sent === 0) return 0
    const longest = times.longest(demo)
    const most = longest === undefined ? 0 : Math.floor((aheadSeconds * schema.concurrency) / longest)
    return most > 0 ? Math.min(most, ahead?.(endpoint) ?? 0) : 0
  }

  /** Whether it waits for its turn to be sent where its row says, if anywhere. */
  private isToBeSent(row: OpenPrediction, ways: Routes): boolean {
    const isWhereItGoes = row.sentTo === null || row.sentTo === ways.get(row.demo)?.endpoint
    return isWhereItGoes && !row.running && !row.cancelRequested && !this.parts.turns.isUnsure(row)
  }

  /** Resumes a prediction that was sent or canceled before and that nothing follows now. */
  private async takeUp(row: OpenPrediction, route: Route | undefined): Promise<void> {
    const { sentTo } = row
    const unsure = row.running || this.parts.turns.isUnsure(row)
    if (!unsure && row.cancelRequested) return this.canceled(row)
    if (!unsure && sentTo !== null && sentTo !== route?.endpoint) return this.leaveInstance(row)
    if (!unsure || (!row.cancelRequested && this.refusals.waitMs(sentTo ?? '') > 0)) return
    if (!row.running && route?.endpoint === sentTo && !row.cancelRequested)
      return this.follow(row, route, (run) => run.send(true))
    const deployment = row.deployment ? await deploymentById(this.parts.db, row.deployment) : undefined
    const reached = deployment?.instance?.reached?.endpoint
    const endpoint = sentTo ?? reached
    if (!deployment?.schema || !deployment.manifest || !endpoint) return this.lost(row)
    const { id, commit, schema, manifest: times } = deployment
    const target = { endpoint, deployment: { id, commit_sha: commit?.sha ?? null }, schema, times }
    this.follow(row, target, (run) => (row.running ? run.join() : run.settle(reached === endpoint)))
  }

  private follow(
    row: OpenPrediction,
    target: Target,
    work: (run: InstanceRun) => Promise<Outcome>,
    isAhead = false,
  ): void {
    const { turns, changed } = this.parts
    turns.follow(row.arrival, isAhead)
    let absentAt: string | undefined
    const run = this.run(row, target, work)
      .then((isAbsent) => {
        if (isAbsent) absentAt = target.endpoint
      })
      .catch((error: unknown) => {
        log.error(`prediction ${row.id} could not be ended; it is taken up again`, error)
        this.refusals.refused(target)
      })
      .finally(() => {
        turns.leave(row.arrival, absentAt)
        this.runs.delete(run)
        changed.workChanged()
      })
    this.runs.add(run)
  }

  /** True: its instance certainly does not have it. */
  private async run({ arrival }: OpenPrediction, target: Target, work: (run: InstanceRun) => Promise<Outcome>) {
    const { open } = this.parts
    const input = await open.inputOf(arrival)
    const row = await open.find(arrival)
    if (!input || !row) return false
    const prediction = { ...row, ...input }
    const taken = () => this.refusals.took(target.endpoint)
    const before = this.parts.turns.of(prediction.demo).sent - 1
    const outcome = await work(new InstanceRun(this.parts, prediction, { ...target, before }, this.signal, taken))
    await this.noteOutcome(prediction, target, outcome)
    return outcome === 'refused' || outcome === 'full'
  }

  private async noteOutcome(row: SentPrediction, target: Target, outcome: Outcome): Promise<void> {
    if (outcome === 'over' || this.signal.aborted) return
    if (outcome !== 'full') return this.refusals.refused(target)
    this.refusals.full(target)
    const forMs = this.noRoom.found(row.arrival, this.runsAt(target.deployment.id))
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
  private lookAt(deployment: DeploymentId, fault: InstanceFault): void {
    if (this.runsAt(deployment)) return
    log.error(`the instance of deployment ${deployment} ${fault}, though nothing runs in it`)
    this.parts.lookAt?.(deployment, fault)
  }

  private runsAt(deployment: DeploymentId): boolean {
    return this.parts.turns.allSent.some((row) => row.running && row.deployment === deployment)
  }

  private forget(ways: Routes): void {
    const { turns } = this.parts
    this.noRoom.keep((arrival) => turns.waits(arrival))
    if (this.refusals.isEmpty) return
    const endpoints = [...ways.values()].map(({ endpoint }) => endpoint)
    this.refusals.keep(new Set([...endpoints, ...turns.allSent.flatMap((row) => row.sentTo ?? [])]))
  }

  private untilNextTry(ways: Routes): number | undefined {
    if (this.refusals.isEmpty) return undefined
    const { turns } = this.parts
    const sentTo = turns.allSent.flatMap((row) => row.sentTo ?? [])
    const routed = [...turns.demosWaiting].flatMap((demo) => ways.get(demo)?.endpoint ?? [])
    const waits = [...new Set([...sentTo, ...routed])].map((endpoint) => this.refusals.waitMs(endpoint))
    return waits.some((wait) => wait > 0) ? Math.min(...waits.filter((wait) => wait > 0)) : undefined
  }
}
