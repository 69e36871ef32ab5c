import { setTimeout as sleep } from 'node:timers/promises'
import { logger } from '@origami/host/logger'
import type { DeploymentId } from '@origami/protocol/demo'
import type { HttpPredictor } from '@origami/serving'
import { logged } from '../logged.ts'
import { waited } from '../waited.ts'
import type { Ending } from './ending.ts'
import { cancelAtInstance } from './instance-call.ts'
import type { DispatcherParts, SentPrediction } from './parts.ts'

const log = logger('predictions')

/** What stopping one prediction at one instance needs. */
interface StoppedRun {
  readonly prediction: SentPrediction
  readonly deployment: DeploymentId
  readonly instance: HttpPredictor
  readonly ending: Ending
}

const afterFailedReadMs = 500

type StopReason = 'canceled' | 'timeout'

/**
 * Stops a prediction at an instance when its row says that it is to be canceled or has ended, or when its deadline is
 * over. It is canceled at the instance, and ends whether the instance obeys or not.
 */
export class RunStop {
  private readonly parts: DispatcherParts
  private readonly run: StoppedRun
  /** Aborts when the daemon leaves. */
  private readonly leaving: AbortSignal
  private readonly controller = new AbortController()
  private deadline: NodeJS.Timeout | undefined

  constructor(parts: DispatcherParts, run: StoppedRun, leaving: AbortSignal) {
    this.parts = parts
    this.run = run
    this.leaving = leaving
  }

  get signal(): AbortSignal {
    return this.controller.signal
  }

  /**
   * Watches the row until the signal aborts, so that a cancel or an end that is stored there takes effect. A read that
   * fails is tried again soon. Never rejects.
   */
  async watchRow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { changed } = this.parts
      const { demo, arrival } = this.run.prediction
      // Until it runs, a change of its demo may end it as well.
      const change = this.run.ending.live
        ? changed.untilPredictionChanges(arrival, signal)
        : changed.untilPlaceChanges(demo, arrival, signal)
      const isRead = await logged(
        `prediction ${this.run.prediction.id} could not be watched; tried again soon`,
        async () => {
          const row = await this.parts.open.find(arrival)
          // The end that was stored here stops nothing: what it is the end of has ended.
          if ((!row && !this.run.ending.isStored) || row?.cancelRequested) this.abort('canceled')
        },
      )
      if (this.signal.aborted) return
      await (isRead ? change : Promise.race([change, waited(afterFailedReadMs, signal)]))
    }
  }

  /** Stops it at the deadline of its row, if there is one, but not before `leastMs` from now. */
  setDeadline(leastMs = 0): void {
    const { deadlineAt } = this.run.prediction
    if (!deadlineAt) return
    const left = Math.max(leastMs, Date.parse(deadlineAt) - Date.parse(this.parts.now()))
    this.deadline = setTimeout(() => this.abort('timeout'), left)
  }

  clearDeadline(): void {
    clearTimeout(this.deadline)
  }

  /**
   * Stores the end that belongs to the stop. Call it after the stop, when nothing more is expected from the instance.
   */
  end(): Promise<void> {
    return this.signal.reason === 'timeout' ? this.run.ending.timedOut() : this.run.ending.canceled()
  }

  /**
   * After a stop: tells the instance, gives it some time to report the end, and then ends the prediction without a
   * report. Aborts `givingUp` when the instance is no longer listened to. Stops waiting when `done` aborts.
   */
  async endOnceStopped(done: AbortSignal, givingUp: AbortController): Promise<void> {
    await aborted(AbortSignal.any([this.signal, done, this.leaving]))
    if (done.aborted || this.leaving.aborted) return
    const { cancelMs } = this.parts.limits
    try {
      // If this cannot be stored now, the end is stored below. The instance is told to end it all the same.
      if (this.signal.reason === 'timeout')
        await logged(`the end of prediction ${this.run.prediction.id} could not be stored`, () => this.end())
      const canceling = this.cancelAtInstance()
      await sleep(cancelMs, undefined, { signal: done })
      await this.end()
      await canceling
      await sleep(2 * cancelMs, undefined, { signal: done })
      this.reportStubborn()
    } catch (error) {
      if (!done.aborted) log.error(`prediction ${this.run.prediction.id} could not be stopped in order`, error)
    } finally {
      givingUp.abort()
    }
  }

  /** Cancels the prediction at the instance that may have it, whatever its row says. */
  cancelAtInstance(): Promise<void> {
    return cancelAtInstance(
      this.run.instance,
      this.run.prediction.id,
      this.parts.limits.retryMs.slice(0, 3),
      this.leaving,
    )
  }

  private abort(reason: StopReason): void {
    this.controller.abort(reason)
  }

  private reportStubborn(): void {
    const { deployment } = this.run
    log.error(`the instance of deployment ${deployment} does not end what it was told to`)
    this.parts.lookAt?.(deployment, 'runs on')
  }
}

/** Resolves once the signal is aborted. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
