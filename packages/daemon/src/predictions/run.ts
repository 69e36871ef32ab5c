import { setTimeout as sleep } from 'node:timers/promises'
import {
  type DemoSchema,
  type FailureReason,
  Full,
  Gone,
  type Input,
  Invalid,
  type PredictionSnapshot,
  validateInput,
} from '@origami/protocol/demo'
import { type HttpPredictor, type Prediction, Unanswered } from '@origami/serving'
import type { Route } from '../store/demos.ts'
import { demoById } from '../store/demos.ts'
import type { Trx } from '../store/open.ts'
import { addFiles } from '../store/prediction-files.ts'
import { changePrediction, endPrediction, type PredictionEnd, predictionByArrival } from '../store/predictions.ts'
import type { PredictionRow } from '../store/tables.ts'
import { bringFiles, fetchResults, outputFiles, ResultLost } from './carry.ts'
import type { LiveRun } from './live-runs.ts'
import type { DispatcherParts } from './parts.ts'

/** Where a prediction is sent: what a Run needs of a route. */
export type Target = Pick<Route, 'endpoint' | 'schema' | 'times'> & {
  readonly deployment: Pick<Route['deployment'], 'id' | 'commit_sha'>
}

/** How a try went. `refused`: the instance surely has not got it · `unsure`: it may have · `over`: nothing is left to do. */
export type Attempt = 'refused' | 'unsure' | 'over'

type Phase = 'finding' | 'carrying' | 'submitting'

/** Even where no time is left, what may have ended is asked once. */
const leastMs = 2000
const findsAtMost = 3

/** One prediction at one instance, from the files it needs to its stored end. Its row says whether it is to be cancelled. */
export class Run {
  private readonly parts: DispatcherParts
  private readonly row: PredictionRow
  private readonly target: Target
  private readonly instance: HttpPredictor
  private readonly leaving: AbortSignal
  private readonly onTaken: () => void
  /** Aborted when it must not go on: `canceled` (or ended by somebody else), `timeout`. */
  private readonly stop = new AbortController()
  /** Of the daemon that leaves, or of this one's stop. */
  private readonly signal: AbortSignal
  private submitting: Promise<Prediction> | undefined
  private live: LiveRun | undefined
  private deadline: NodeJS.Timeout | undefined

  constructor(parts: DispatcherParts, row: PredictionRow, target: Target, leaving: AbortSignal, onTaken: () => void) {
    this.parts = parts
    this.row = row
    this.target = target
    this.leaving = leaving
    this.onTaken = onTaken
    this.instance = parts.reach(target.endpoint)
    this.signal = AbortSignal.any([leaving, this.stop.signal])
  }

  /** Sends it. `unsure`: it may be there from an earlier try, and is looked for first. Once it was taken it is never sent a second time. */
  send(unsure: boolean): Promise<Attempt> {
    return this.watched(() => this.attempt(unsure))
  }

  /** Looks for one that may be at an instance which is no longer its demo's. `reachable`: its deployment still has this endpoint. */
  settle(reachable: boolean): Promise<Attempt> {
    return this.watched(async () => {
      try {
        const taken = await this.instance.find(this.row.id, this.signal)
        return taken ? await this.took(taken) : 'refused'
      } catch (error) {
        if (this.signal.aborted) return this.stoppedBefore('finding')
        if (!(error instanceof Gone)) throw error
        return reachable ? 'unsure' : this.interrupted()
      }
    })
  }

  /** Finds one again that ran when it was last followed. */
  join(): Promise<Attempt> {
    return this.watched(async () => {
      this.setDeadline(leastMs)
      const taken = await this.found()
      if (this.signal.aborted) return this.stoppedBefore('finding')
      return taken ? this.follow(taken) : this.interrupted()
    })
  }

  /** Its row is followed while `work` goes on: whoever cancels or ends it there is heard, whatever goes on here. */
  private async watched(work: () => Promise<Attempt>): Promise<Attempt> {
    const done = new AbortController()
    const watching = this.watchRow(AbortSignal.any([done.signal, this.leaving])).catch((error: unknown) =>
      console.error(`prediction ${this.row.id} cannot be watched; a cancel is not heard`, error),
    )
    try {
      return await work()
    } catch (error) {
      return await this.broke(error)
    } finally {
      clearTimeout(this.deadline)
      done.abort()
      await watching
      if (this.live) this.parts.live.close(this.row.arrival)
    }
  }

  private async watchRow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { changed } = this.parts
      const { demo_id, arrival } = this.row
      // Until it runs it may also be ended by what happens to its demo.
      const change = this.live ? changed.ofPrediction(arrival, signal) : changed.ofWaiting(demo_id, arrival, signal)
      const row = await predictionByArrival(this.parts.db, this.row.arrival)
      if (!row || row.completed_at || row.cancel_requested_at) return this.stop.abort('canceled')
      await change
    }
  }

  private async attempt(unsure: boolean): Promise<Attempt> {
    const { schema } = this.target
    const input = withoutUnset(schema, JSON.parse(this.row.input))
    const { problems } = validateInput(schema, input)
    if (problems.length > 0 && !unsure) return this.changedMeanwhile(new Invalid(problems).message)
    if (!(await this.mark())) return 'over'
    let phase: Phase = 'finding'
    try {
      let taken = unsure ? await this.instance.find(this.row.id, this.signal) : undefined
      if (!taken) {
        phase = 'carrying'
        await bringFiles(this.parts.files, this.instance, schema, input, this.signal)
        phase = 'submitting'
        taken = await this.handOver(input)
      }
      return await this.took(taken)
    } catch (error) {
      if (this.signal.aborted) return this.stoppedBefore(phase)
      if (error instanceof Invalid) return this.changedMeanwhile(error.message)
      if (!(error instanceof Gone) && !(error instanceof Full)) throw error
      const nobodyKnows = phase === 'finding' || (phase === 'submitting' && error instanceof Unanswered)
      return nobodyKnows ? 'unsure' : 'refused'
    }
  }

  /** Before the first try at an instance its row says where it may be. False: it ended meanwhile. */
  private async mark(): Promise<boolean> {
    const { endpoint, deployment } = this.target
    if (this.row.sent_to === endpoint) return true
    const mark = { sent_to: endpoint, deployment: deployment.id, commit_sha: deployment.commit_sha }
    return changePrediction(this.parts.db, this.row.arrival, 'starting', mark)
  }

  /** A cancel does not wait for the answer, and the answer is not lost by it: what was taken must be told. */
  private async handOver(input: Input): Promise<Prediction> {
    this.submitting = this.instance.submit({ id: this.row.id, input }, this.leaving)
    // Handled where it is awaited, here or after the stop.
    this.submitting.catch(() => undefined)
    await Promise.race([this.submitting, aborted(this.signal)])
    this.signal.throwIfAborted()
    return this.submitting
  }

  private async took(taken: Prediction): Promise<Attempt> {
    const { db, changed, limits, now } = this.parts
    this.onTaken()
    const started_at = now()
    const seconds = Math.min(this.target.times.timeout, limits.predictionSeconds)
    const deadline_at = new Date(Date.parse(started_at) + seconds * 1000).toISOString()
    const sent = { status: 'processing' as const, started_at, deadline_at }
    if (!(await changePrediction(db, this.row.arrival, 'starting', sent))) {
      await this.cancelThere()
      return 'over'
    }
    Object.assign(this.row, sent)
    changed.predictionChanged(this.row.demo_id, this.row.arrival)
    this.setDeadline()
    return this.follow(taken)
  }

  private async follow(taken: Prediction): Promise<Attempt> {
    const { live, changed, limits } = this.parts
    this.live = live.open(this.row.arrival)
    changed.predictionChanged(this.row.demo_id, this.row.arrival)
    const done = new AbortController()
    const givingUp = new AbortController()
    const stopping = this.endWhenStopped(done.signal, givingUp)
    try {
      for await (const event of taken.events(0, AbortSignal.any([this.leaving, givingUp.signal]))) {
        if (!('seq' in event)) continue
        if (event.type === 'completed') return await this.complete(event.data, event.seq)
        this.live.add(event)
        if (this.live.outputSize > limits.outputBytes) return await this.tooMuchOutput()
      }
    } catch (error) {
      if (!(error instanceof Gone)) throw error
    } finally {
      done.abort()
      await stopping
    }
    return this.leaving.aborted ? 'unsure' : this.interrupted()
  }

  /** Once stopped: tells the instance, gives it a while to say how it ended, and then ends it without its word. */
  private async endWhenStopped(done: AbortSignal, givingUp: AbortController): Promise<void> {
    await aborted(AbortSignal.any([this.stop.signal, done, this.leaving]))
    if (done.aborted || this.leaving.aborted) return
    try {
      if (this.stop.signal.reason === 'timeout') await this.timedOut()
      const told = this.cancelThere()
      await sleep(this.parts.limits.cancelMs, undefined, { signal: done })
      await this.canceled()
      await told
      await sleep(2 * this.parts.limits.cancelMs, undefined, { signal: done })
      this.lookAt('does not end what it was told to')
    } catch (error) {
      if (!done.aborted) console.error(`prediction ${this.row.id} could not be stopped in order`, error)
    } finally {
      givingUp.abort()
    }
  }

  /** Keeps result files before it says that it succeeded. */
  private async complete(end: PredictionSnapshot, seq: number): Promise<Attempt> {
    clearTimeout(this.deadline)
    const files = end.status === 'succeeded' ? outputFiles(this.target.schema, end.output) : []
    try {
      await fetchResults(this.parts.files, this.instance, files, this.parts.limits, this.signal)
    } catch (error) {
      if (this.leaving.aborted) return 'unsure'
      if (this.stop.signal.aborted) return this.canceled()
      if (!(error instanceof ResultLost)) throw error
      return this.fail(error.reason, error.message)
    }
    const { arrival, demo_id, started_at } = this.row
    const row = {
      status: end.status,
      output: end.output === null || end.output === undefined ? null : JSON.stringify(end.output),
      error: end.error,
      reason: end.reason,
      logs: end.logs,
      predict_time: end.metrics.predict_time ?? null,
      started_at: end.started_at ?? started_at,
      completed_at: this.parts.now(),
      last_seq: seq,
    }
    return this.end(row, async (trx) => {
      await addFiles(trx, arrival, 'output', files)
      await trx
        .updateTable('demos')
        .set((eb) => ({ runs: eb('runs', '+', 1) }))
        .where('id', '=', demo_id)
        .execute()
    })
  }

  /** Where it was last. Undefined: it is not there, or nobody is. */
  private async found(): Promise<Prediction | undefined> {
    for (let attempt = 1; ; attempt += 1)
      try {
        return await this.instance.find(this.row.id, this.signal)
      } catch (error) {
        if (this.signal.aborted) return undefined
        if (!(error instanceof Gone)) throw error
        if (!(error instanceof Unanswered) || attempt >= findsAtMost) return undefined
      }
  }

  /** It was stopped before it was followed. What may have arrived is cancelled where it is. */
  private async stoppedBefore(phase: Phase): Promise<Attempt> {
    if (this.leaving.aborted) return 'unsure'
    await (this.stop.signal.reason === 'timeout' ? this.timedOut() : this.canceled())
    if (phase === 'carrying') return 'over'
    // Whether it was taken or not, it is cancelled next.
    await this.submitting?.catch(() => undefined)
    await this.cancelThere()
    return 'over'
  }

  /** Asks the instance to cancel it, more than once where it does not answer. */
  private async cancelThere(): Promise<void> {
    for (const pause of [...this.parts.limits.retryMs.slice(0, 3), undefined])
      try {
        await (await this.instance.find(this.row.id, this.leaving))?.cancel(this.leaving)
        return
      } catch (error) {
        if (this.leaving.aborted) return
        if (error instanceof Gone && !(error instanceof Unanswered)) return
        if (pause === undefined) return console.error(`prediction ${this.row.id} could not be cancelled at its instance`, error)
        // An aborted pause ends the loop at its next turn.
        await sleep(pause, undefined, { signal: this.leaving }).catch(() => undefined)
      }
  }

  private setDeadline(least = 0): void {
    const { deadline_at } = this.row
    if (!deadline_at) return
    const left = Math.max(least, Date.parse(deadline_at) - Date.parse(this.parts.now()))
    this.deadline = setTimeout(() => this.stop.abort('timeout'), left)
  }

  private lookAt(why: string): void {
    console.error(`the instance of deployment ${this.target.deployment.id} ${why}`)
    this.parts.lookAt?.(this.target.deployment.id)
  }

  /** The instance went away while it ran. */
  private async interrupted(): Promise<Attempt> {
    if (this.leaving.aborted) return 'unsure'
    if (this.stop.signal.aborted) return this.stop.signal.reason === 'timeout' ? this.timedOut() : this.canceled()
    const stopped = (await demoById(this.parts.db, this.row.demo_id))?.want === 'stopped'
    return stopped
      ? this.fail('stopped', 'The demo was stopped by its owner while this ran.')
      : this.fail('interrupted', 'The demo went away while this ran. It was not run again; run it again if you like.')
  }

  /** Something that nobody foresaw: it ends here, says so, and does not run on unseen. */
  private async broke(error: unknown): Promise<Attempt> {
    if (this.leaving.aborted) return 'unsure'
    console.error(`prediction ${this.row.id} broke off`, error)
    await this.fail('interrupted', 'Something went wrong between the queue and the demo; run it again.')
    await this.cancelThere()
    return 'over'
  }

  private async tooMuchOutput(): Promise<Attempt> {
    const { outputBytes } = this.parts.limits
    await this.fail(
      'error',
      `The model put out more than the ${outputBytes} bytes of text that this server takes of one prediction.`,
    )
    await this.cancelThere()
    return 'over'
  }

  private changedMeanwhile(problem: string): Promise<Attempt> {
    return this.fail('invalid', `The demo changed while this waited: ${problem}`)
  }

  private timedOut(): Promise<Attempt> {
    const { started_at, deadline_at } = this.row
    const seconds = Math.round((Date.parse(deadline_at ?? '') - Date.parse(started_at ?? '')) / 1000)
    return this.fail('timeout', `It ran longer than the ${seconds} s that a prediction of this demo may take, and was stopped.`)
  }

  private canceled(): Promise<Attempt> {
    return this.end({ status: 'canceled', ...this.soFar() })
  }

  private fail(reason: FailureReason, error: string): Promise<Attempt> {
    return this.end({ status: 'failed', reason, error, ...this.soFar() })
  }

  private soFar() {
    return { logs: this.live?.logs ?? '', completed_at: this.parts.now(), last_seq: (this.live?.lastSeq ?? 0) + 1 }
  }

  /** Nothing, where it ended already. */
  private async end(end: PredictionEnd, also: (trx: Trx) => Promise<void> = async () => {}): Promise<Attempt> {
    const { arrival, demo_id } = this.row
    const ended = await this.parts.db.transaction().execute(async (trx) => {
      const stored = await endPrediction(trx, arrival, end)
      if (stored) await also(trx)
      return stored
    })
    if (ended) this.parts.changed.predictionChanged(demo_id, arrival)
    return 'over'
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** What was left empty when it was sent does no harm where a newer version no longer asks for it. */
function withoutUnset(schema: DemoSchema, input: Record<string, unknown>): Record<string, unknown> {
  const known = new Set(schema.inputs.map(({ name }) => name))
  return Object.fromEntries(Object.entries(input).filter(([name, value]) => value !== null || known.has(name)))
}
