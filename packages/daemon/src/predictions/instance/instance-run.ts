import { setTimeout as sleep } from 'node:timers/promises'
import { logger } from '@origami/host/logger'
import {
  type DemoSchema,
  Full,
  Gone,
  type Input,
  Invalid,
  type PredictionSnapshot,
  validateInput,
} from '@origami/protocol/demo'
import { type HttpPredictor, Misbehaved, type Prediction, ServerFault, Unanswered } from '@origami/serving'
import type { Route } from '../../store/demos.ts'
import type { OpenPrediction } from '../../store/open-predictions.ts'
import { changePrediction } from '../../store/predictions.ts'
import { Ending } from '../ending.ts'
import type { LiveRun } from '../live-runs.ts'
import type { DispatcherParts, SentPrediction } from '../parts.ts'
import { checkedEnd, isKnownOutput } from './checked-end.ts'
import { bringFiles, fetchResults, filesOfFields, outputFiles, ResultLost } from './file-transfer.ts'
import { HandedFiles } from './handed-files.ts'
import { findAtInstance } from './instance-call.ts'
import { RunStop } from './run-stop.ts'

const log = logger('predictions')

/** What an InstanceRun needs of a route. */
export type Target = Pick<Route, 'endpoint' | 'schema' | 'times'> & {
  readonly deployment: Pick<Route['deployment'], 'id' | 'commit_sha'>
  /** How many predictions it has that may begin before this one. */
  readonly before?: number
}

/**
 * The outcome of a try. `refused`: the instance certainly does not have it. `full`: the same, since it has no room now.
 * `unsure`: it may have it. `over`: nothing is left to do. `ending`: nothing is left to do, and the instance said that
 * it is shutting down.
 */
export type Outcome = 'refused' | 'full' | 'unsure' | 'over' | 'ending'

type Phase = 'finding' | 'carrying' | 'submitting'

/** The least time for a try even after the deadline, so that a prediction that may have ended is asked once. */
const leastMs = 2000

/**
 * Runs one prediction at one instance, from sending its files to storing its end. Its row says whether it is to be
 * canceled.
 */
export class InstanceRun {
  private readonly parts: DispatcherParts
  private readonly prediction: SentPrediction
  private readonly target: Target
  private readonly instance: HttpPredictor
  private readonly leaving: AbortSignal
  private readonly onTaken: () => void
  private readonly ending: Ending
  private readonly stop: RunStop
  private readonly hasFiles: boolean
  private readonly handed: HandedFiles | undefined
  private submitting: Promise<Prediction> | undefined

  constructor(
    parts: DispatcherParts,
    prediction: SentPrediction,
    target: Target,
    leaving: AbortSignal,
    onTaken: () => void,
  ) {
    this.parts = parts
    this.prediction = prediction
    this.target = target
    this.leaving = leaving
    this.onTaken = onTaken
    this.instance = parts.reach(target.endpoint)
    this.ending = new Ending(parts, prediction)
    const run = { prediction, deployment: target.deployment.id, instance: this.instance, ending: this.ending }
    this.hasFiles = filesOfFields(target.schema.inputs, prediction.input).length > 0
    const folder = this.hasFiles && parts.engine?.inputFolder(prediction.demo, target.deployment.id)
    this.handed = folder ? new HandedFiles(parts.files, folder, prediction.id) : undefined
    this.stop = new RunStop(parts, run, leaving)
  }

  /** Aborts when the daemon leaves, or when this prediction is stopped. */
  private get signal(): AbortSignal {
    return this.stop.signal
  }

  /**
   * Sends it. `unsure`: an earlier try may have succeeded, so it is looked for first. A prediction that was accepted is
   * never sent a second time.
   */
  send(unsure: boolean): Promise<Outcome> {
    return this.supervised(() => this.attempt(unsure))
  }

  /**
   * Looks for a prediction at an instance that is no longer the route of its demo. `reachable`: its deployment still
   * has this endpoint.
   */
  settle(reachable: boolean): Promise<Outcome> {
    return this.supervised(async () => {
      try {
        const taken = await this.instance.find(this.prediction.id, this.signal)
        return taken ? await this.took(taken) : 'refused'
      } catch (error) {
        if (this.stop.isAborted) return this.stoppedBefore('finding')
        if (!(error instanceof Gone) && !(error instanceof ServerFault)) throw error
        return reachable ? 'unsure' : this.wentAway()
      }
    })
  }

  /** Follows a prediction again that was running when it was last followed. */
  join(): Promise<Outcome> {
    return this.supervised(async () => {
      this.stop.setDeadline(leastMs)
      const taken = await findAtInstance(this.instance, this.prediction.id, this.signal)
      if (this.stop.isAborted) return this.stoppedBefore('finding')
      return taken ? this.follow(taken) : this.wentAway()
    })
  }

  /** Watches for a stop while `work` goes on, and removes what was handed to the instance once that is over. */
  private async supervised(work: () => Promise<Outcome>): Promise<Outcome> {
    const outcome = await this.watched(work)
    const { input } = this.prediction
    if (outcome !== 'unsure') await this.handed?.takeBack(filesOfFields(this.target.schema.inputs, input))
    return outcome
  }

  private async watched(work: () => Promise<Outcome>): Promise<Outcome> {
    this.stop.watch()
    try {
      return await work()
    } catch (error) {
      if (error instanceof Misbehaved || error instanceof ServerFault) return await this.misbehaved(error)
      return await this.broke(error)
    } finally {
      this.stop.close()
      if (this.ending.live) this.parts.live.close(this.prediction.arrival)
    }
  }

  private async attempt(unsure: boolean): Promise<Outcome> {
    const { schema } = this.target
    const input = withoutUnset(schema, this.prediction.input)
    const { problems } = validateInput(schema, input)
    if (problems.length > 0 && !unsure) return this.over(this.ending.invalid(new Invalid(problems).message))
    let phase: Phase = unsure ? 'finding' : 'carrying'
    try {
      if (!(await this.mark())) return 'over'
      let taken = unsure ? await this.instance.find(this.prediction.id, this.signal) : undefined
      if (!taken) {
        phase = 'carrying'
        const { files } = this.parts
        const brought = this.hasFiles
          ? await bringFiles(files, this.instance, schema, input, this.signal, this.handed)
          : input
        phase = 'submitting'
        taken = await this.handOver(brought)
      }
      return await this.took(taken)
    } catch (error) {
      if (this.stop.isAborted) return this.stoppedBefore(phase)
      if (error instanceof Invalid) return this.over(this.ending.invalid(error.message))
      const mayBeThere = error instanceof Unanswered || error instanceof ServerFault
      if (!mayBeThere && !(error instanceof Gone) && !(error instanceof Full)) throw error
      if (phase === 'finding' || (phase === 'submitting' && mayBeThere)) return 'unsure'
      return error instanceof Full ? 'full' : 'refused'
    }
  }

  /** Stores where the prediction may be before the first try there. False: it ended meanwhile. */
  private async mark(): Promise<boolean> {
    const { endpoint, deployment } = this.target
    if (this.prediction.sentTo === endpoint) return true
    const { id, commit_sha } = deployment
    return this.written(
      { sent_to: endpoint, deployment: id, commit_sha },
      { sentTo: endpoint, deployment: id, commit: commit_sha },
    )
  }

  /**
   * Changes the row while it is `starting`. A write that fails is tried again with growing pauses, because the
   * prediction itself is well. False: it ended meanwhile. Throws once the signal aborts.
   */
  private async written(
    change: Parameters<typeof changePrediction>[3],
    now: Partial<OpenPrediction>,
  ): Promise<boolean> {
    const { commits, limits, open } = this.parts
    const { arrival } = this.prediction
    for (let tries = 0; ; tries += 1)
      try {
        const isChanged = await commits.run((trx) => changePrediction(trx, arrival, 'starting', change))
        if (isChanged) Object.assign(this.prediction, now)
        // Whoever takes it up later must know where it may be, though nobody waits for that.
        open.predictionChanged(arrival, isChanged ? now : undefined)
        return isChanged
      } catch (error) {
        this.signal.throwIfAborted()
        log.error(`where prediction ${this.prediction.id} stands could not be stored; tried again soon`, error)
        await sleep(limits.retryMs[Math.min(tries, limits.retryMs.length - 1)], undefined, { signal: this.signal })
      }
  }

  /**
   * A cancel does not wait for the answer of the submit. The answer is kept, because an instance that accepted the
   * prediction must be told.
   */
  private async handOver(input: Input): Promise<Prediction> {
    this.submitting = this.instance.submit({ id: this.prediction.id, input, follow: 'events' }, this.leaving)
    // A rejection is handled where the promise is awaited, here or after the stop.
    this.submitting.catch(() => undefined)
    return this.stop.unlessStopped(this.submitting)
  }

  /** It has a place in the instance, and begins there when it is its turn. */
  private took(taken: Prediction): Promise<Outcome> {
    const { times, before = 0 } = this.target
    this.onTaken()
    this.stop.setPatience((1 + before) * (this.seconds + times.ready_within))
    return this.follow(taken)
  }

  /** How long it may run, in seconds. */
  private get seconds(): number {
    return Math.min(this.target.times.timeout, this.parts.limits.predictionSeconds)
  }

  /**
   * That it runs is stored later: until then its row says where it may be, and who takes it up finds it there. If it
   * ended meanwhile, the stop hears of it.
   */
  private begin(): LiveRun {
    const { commits, now, open } = this.parts
    const { arrival } = this.prediction
    const startedAt = now()
    const deadlineAt = new Date(Date.parse(startedAt) + this.seconds * 1000).toISOString()
    const row = { status: 'processing' as const, started_at: startedAt, deadline_at: deadlineAt }
    commits.later(arrival, (trx) => changePrediction(trx, arrival, 'starting', row))
    const began = { running: true, startedAt, deadlineAt }
    Object.assign(this.prediction, began)
    open.predictionChanged(arrival, began)
    this.stop.setDeadline()
    return this.openLive()
  }

  private openLive(): LiveRun {
    const { live, changed } = this.parts
    const { demo, arrival } = this.prediction
    const run = live.open(arrival)
    this.ending.live = run
    changed.predictionChanged(demo, arrival, {})
    return run
  }

  private async follow(taken: Prediction): Promise<Outcome> {
    const { limits } = this.parts
    let run = this.prediction.running ? this.openLive() : undefined
    const givingUp = new AbortController()
    const endStop = this.stop.whileFollowed(givingUp)
    try {
      for await (const event of taken.events(0, givingUp.signal)) {
        if (!('seq' in event)) continue
        if (event.type === 'completed') return await this.complete(event.data, event.seq)
        run ??= this.begin()
        if (isKnownOutput(event, this.target.schema)) run.add(event)
        if (run.outputSize > limits.outputBytes) return await this.endHere(() => this.ending.outputTooLarge())
      }
    } catch (error) {
      if (!(error instanceof Gone)) throw error
    } finally {
      await endStop()
    }
    return this.wentAway()
  }

  /** Its instance was stopped before it began there. */
  private async cameBack(): Promise<Outcome> {
    if (this.leaving.aborted) return 'unsure'
    if (!this.stop.reason) return 'refused'
    return this.over(this.stop.end())
  }

  /** Stores the result files before the prediction counts as succeeded. */
  private async complete(end: PredictionSnapshot, seq: number): Promise<Outcome> {
    this.stop.clearDeadline()
    if (isNeverBegun(end)) return this.cameBack()
    // A runtime that is shutting down reports its predictions as interrupted. Why it was shut down is known only here.
    if (end.reason === 'interrupted') return (await this.wentAway()) === 'over' ? 'ending' : 'unsure'
    try {
      const { schema } = this.target
      const checked = checkedEnd(end, schema, this.parts.limits)
      const files = checked.status === 'succeeded' ? outputFiles(schema, checked.output) : []
      const stored = this.parts.files.of(this.prediction.demo)
      if (files.length > 0) await fetchResults(stored, this.instance, files, this.parts.limits, this.signal)
      return await this.over(this.ending.completed(checked, seq, files))
    } catch (error) {
      if (this.leaving.aborted) return 'unsure'
      if (this.stop.reason) return this.over(this.stop.end())
      if (!(error instanceof ResultLost)) throw error
      return this.over(this.ending.failed(error.reason, error.message))
    }
  }

  /** It was stopped before it was followed. What may have reached the instance is canceled there. */
  private async stoppedBefore(phase: Phase): Promise<Outcome> {
    if (this.leaving.aborted) return 'unsure'
    if (phase === 'carrying') return this.over(this.stop.end())
    // Whether it was accepted or not, it is canceled there. Neither waits for the other.
    const told = (this.submitting ?? Promise.resolve()).catch(() => undefined).then(() => this.stop.cancelAtInstance())
    await Promise.all([this.stop.end(), told])
    return 'over'
  }

  /** The instance went away while it ran, or was told to stop it. */
  private async wentAway(): Promise<Outcome> {
    if (this.leaving.aborted) return 'unsure'
    await (this.stop.reason ? this.stop.end() : this.ending.interrupted())
    return 'over'
  }

  /** The instance gave an answer that no runtime may give. Asking again would not help. */
  private async misbehaved(error: Error): Promise<Outcome> {
    if (this.leaving.aborted) return 'unsure'
    log.error(
      `the instance of deployment ${this.target.deployment.id} misbehaved with prediction ${this.prediction.id}`,
      error,
    )
    return this.endHere(() => (this.stop.reason ? this.stop.end() : this.ending.misbehaved()))
  }

  /** Handles an unexpected error. */
  private async broke(error: unknown): Promise<Outcome> {
    if (this.leaving.aborted) return 'unsure'
    log.error(`prediction ${this.prediction.id} broke off`, error)
    return this.endHere(() => this.ending.brokeOff())
  }

  /** Ends it without its instance, after canceling it there, so that it does not run on unobserved. */
  private async endHere(end: () => Promise<void>): Promise<Outcome> {
    await end()
    await this.stop.cancelAtInstance()
    return 'over'
  }

  private async over(ended: Promise<void>): Promise<Outcome> {
    await ended
    return 'over'
  }
}

/** A runtime that is stopped says this of those that waited in it. */
const isNeverBegun = ({ reason, started_at }: PredictionSnapshot): boolean =>
  reason === 'interrupted' && started_at === null

/** Drops values that are null in the input and whose field a newer schema no longer has. */
function withoutUnset(schema: DemoSchema, input: Record<string, unknown>): Record<string, unknown> {
  const known = new Set(schema.inputs.map(({ name }) => name))
  return Object.fromEntries(Object.entries(input).filter(([name, value]) => value !== null || known.has(name)))
}
