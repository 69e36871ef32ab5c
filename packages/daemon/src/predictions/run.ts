import { setTimeout as sleep } from 'node:timers/promises'
import { type DemoSchema, Full, Gone, type Input, Invalid, type PredictionSnapshot, validateInput } from '@origami/protocol/demo'
import { type HttpPredictor, Misbehaved, type Prediction, ServerFault, Unanswered } from '@origami/serving'
import type { Route } from '../store/demos.ts'
import { changePrediction, predictionByArrival } from '../store/predictions.ts'
import type { PredictionRow } from '../store/tables.ts'
import { believed, isKnown } from './believed.ts'
import { bringFiles, fetchResults, outputFiles, ResultLost } from './carry.ts'
import { Ending } from './ending.ts'
import { cancelAt, findAt } from './instance-call.ts'
import type { DispatcherParts } from './parts.ts'

/** Where a prediction is sent: what a Run needs of a route. */
export type Target = Pick<Route, 'endpoint' | 'schema' | 'times'> & {
  readonly deployment: Pick<Route['deployment'], 'id' | 'commit_sha'>
}

/**
 * How a try went. `refused`: the instance surely has not got it · `unsure`: it may have · `over`: nothing is left to do ·
 * `ending`: the same, and the instance said that it ends.
 */
export type Attempt = 'refused' | 'unsure' | 'over' | 'ending'

type Phase = 'finding' | 'carrying' | 'submitting'

/** Even where no time is left, what may have ended is asked once. */
const leastMs = 2000

/** One prediction at one instance, from the files it needs to its stored end. Its row says whether it is to be canceled. */
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
  private readonly ending: Ending
  private deadline: NodeJS.Timeout | undefined

  constructor(parts: DispatcherParts, row: PredictionRow, target: Target, leaving: AbortSignal, onTaken: () => void) {
    this.parts = parts
    this.row = row
    this.target = target
    this.leaving = leaving
    this.onTaken = onTaken
    this.ending = new Ending(parts, row)
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
        if (!(error instanceof Gone) && !(error instanceof ServerFault)) throw error
        return reachable ? 'unsure' : this.wentAway()
      }
    })
  }

  /** Finds one again that ran when it was last followed. */
  join(): Promise<Attempt> {
    return this.watched(async () => {
      this.setDeadline(leastMs)
      const taken = await findAt(this.instance, this.row.id, this.signal)
      if (this.signal.aborted) return this.stoppedBefore('finding')
      return taken ? this.follow(taken) : this.wentAway()
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
      if (error instanceof Misbehaved || error instanceof ServerFault) return await this.misbehaved(error)
      return await this.broke(error)
    } finally {
      clearTimeout(this.deadline)
      done.abort()
      await watching
      if (this.ending.live) this.parts.live.close(this.row.arrival)
    }
  }

  private async watchRow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { changed } = this.parts
      const { demo_id, arrival } = this.row
      // Until it runs it may also be ended by what happens to its demo.
      const change = this.ending.live ? changed.ofPrediction(arrival, signal) : changed.ofWaiting(demo_id, arrival, signal)
      const row = await predictionByArrival(this.parts.db, this.row.arrival)
      if (!row || row.completed_at || row.cancel_requested_at) return this.stop.abort('canceled')
      await change
    }
  }

  private async attempt(unsure: boolean): Promise<Attempt> {
    const { schema } = this.target
    const input = withoutUnset(schema, JSON.parse(this.row.input))
    const { problems } = validateInput(schema, input)
    if (problems.length > 0 && !unsure) return this.over(this.ending.invalid(new Invalid(problems).message))
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
      if (error instanceof Invalid) return this.over(this.ending.invalid(error.message))
      const mayBeThere = error instanceof Unanswered || error instanceof ServerFault
      if (!mayBeThere && !(error instanceof Gone) && !(error instanceof Full)) throw error
      const nobodyKnows = phase === 'finding' || (phase === 'submitting' && mayBeThere)
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
    const told = live.open(this.row.arrival)
    this.ending.live = told
    changed.predictionChanged(this.row.demo_id, this.row.arrival)
    const done = new AbortController()
    const givingUp = new AbortController()
    const stopping = this.endWhenStopped(done.signal, givingUp)
    try {
      for await (const event of taken.events(0, AbortSignal.any([this.leaving, givingUp.signal]))) {
        if (!('seq' in event)) continue
        if (event.type === 'completed') return await this.complete(event.data, event.seq)
        if (isKnown(event, this.target.schema)) told.add(event)
        if (told.outputSize > limits.outputBytes) return await this.tooMuchOutput()
      }
    } catch (error) {
      if (!(error instanceof Gone)) throw error
    } finally {
      done.abort()
      await stopping
    }
    return this.wentAway()
  }

  /** Once stopped: tells the instance, gives it a while to say how it ended, and then ends it without its word. */
  private async endWhenStopped(done: AbortSignal, givingUp: AbortController): Promise<void> {
    await aborted(AbortSignal.any([this.stop.signal, done, this.leaving]))
    if (done.aborted || this.leaving.aborted) return
    try {
      if (this.stop.signal.reason === 'timeout') await this.ending.timedOut()
      const told = this.cancelThere()
      await sleep(this.parts.limits.cancelMs, undefined, { signal: done })
      await this.ending.canceled()
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
    // A runtime that is told to end says so of what runs in it; why it was told is known here.
    if (end.reason === 'interrupted') return (await this.wentAway()) === 'over' ? 'ending' : 'unsure'
    try {
      const { schema } = this.target
      const told = believed(end, schema, this.parts.limits)
      const files = told.status === 'succeeded' ? outputFiles(schema, told.output) : []
      await fetchResults(this.parts.files, this.instance, files, this.parts.limits, this.signal)
      return await this.over(this.ending.completed(told, seq, files))
    } catch (error) {
      if (this.leaving.aborted) return 'unsure'
      if (this.stop.signal.aborted) return this.over(this.stopped())
      if (!(error instanceof ResultLost)) throw error
      return this.over(this.ending.failed(error.reason, error.message))
    }
  }

  /** It was stopped before it was followed. What may have arrived is canceled where it is. */
  private async stoppedBefore(phase: Phase): Promise<Attempt> {
    if (this.leaving.aborted) return 'unsure'
    await this.stopped()
    if (phase === 'carrying') return 'over'
    // Whether it was taken or not, it is canceled next.
    await this.submitting?.catch(() => undefined)
    await this.cancelThere()
    return 'over'
  }

  private setDeadline(least = 0): void {
    const { deadline_at } = this.row
    if (!deadline_at) return
    const left = Math.max(least, Date.parse(deadline_at) - Date.parse(this.parts.now()))
    this.deadline = setTimeout(() => this.stop.abort('timeout'), left)
  }

  private lookAt(why: string): void {
    console.error(`the instance of deployment ${this.target.deployment.id} ${why}`)
    this.parts.lookAt?.(this.target.deployment.id, 'runs on')
  }

  /** The instance went away while it ran, or was told to stop it. */
  private async wentAway(): Promise<Attempt> {
    if (this.leaving.aborted) return 'unsure'
    await (this.stop.signal.aborted ? this.stopped() : this.ending.interrupted())
    return 'over'
  }

  private stopped(): Promise<void> {
    return this.stop.signal.reason === 'timeout' ? this.ending.timedOut() : this.ending.canceled()
  }

  /** The instance answered what none should. Asking it again would not tell more: it ends here, and does not run on unseen. */
  private async misbehaved(error: Error): Promise<Attempt> {
    if (this.leaving.aborted) return 'unsure'
    console.error(`the instance of deployment ${this.target.deployment.id} misbehaved with prediction ${this.row.id}`, error)
    const words = 'The demo gave an answer that none should give, so this was ended. Run it again, or tell who made the demo.'
    await (this.stop.signal.aborted ? this.stopped() : this.ending.failed('interrupted', words))
    await this.cancelThere()
    return 'over'
  }

  /** Something that nobody foresaw: it ends here, says so, and does not run on unseen. */
  private async broke(error: unknown): Promise<Attempt> {
    if (this.leaving.aborted) return 'unsure'
    console.error(`prediction ${this.row.id} broke off`, error)
    await this.ending.failed('interrupted', 'Something went wrong between the queue and the demo; run it again.')
    await this.cancelThere()
    return 'over'
  }

  private async over(ending: Promise<void>): Promise<Attempt> {
    await ending
    return 'over'
  }

  private async tooMuchOutput(): Promise<Attempt> {
    const { outputBytes } = this.parts.limits
    await this.ending.failed(
      'error',
      `The model put out more than the ${outputBytes} bytes of text that this server takes of one prediction.`,
    )
    await this.cancelThere()
    return 'over'
  }

  private cancelThere(): Promise<void> {
    return cancelAt(this.instance, this.row.id, this.parts.limits.retryMs.slice(0, 3), this.leaving)
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
