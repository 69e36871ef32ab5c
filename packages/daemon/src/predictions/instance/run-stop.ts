import { setTimeout as sleep } from 'node:timers/promises'
import { logger } from '@origami/host/logger'
import type { DeploymentId } from '@origami/protocol/demo'
import type { HttpPredictor } from '@origami/serving'
import { logged } from '../../logged.ts'
import type { OpenPrediction } from '../../store/open-predictions.ts'
import type { Ending } from '../ending.ts'
import type { DispatcherParts, SentPrediction } from '../parts.ts'
import { cancelAtInstance } from './instance-call.ts'

const log = logger('predictions')

/** What stopping one prediction at one instance needs. */
interface StoppedRun {
  readonly prediction: SentPrediction
  readonly deployment: DeploymentId
  readonly instance: HttpPredictor
  readonly ending: Ending
}

const afterFailedReadMs = 500
const longestTimerMs = 2 ** 31 - 1

type StopReason = 'canceled' | 'timeout'

/**
 * Stops a prediction at an instance when its row says that it is to be canceled or has ended, or when its deadline is
 * over. It is canceled at the instance, and ends whether the instance obeys or not.
 */
export class RunStop {
  /** Why it is stopped. Undefined: it is not. */
  reason: StopReason | undefined
  private readonly parts: DispatcherParts
  private readonly run: StoppedRun
  /** Aborts when the daemon leaves. */
  private readonly leaving: AbortSignal
  /** Made for who waits for its signal, which most do not. */
  private controller: AbortController | undefined
  private abortReason: StopReason | 'leaving' | undefined
  private interrupt: ((reason: StopReason | 'leaving') => void) | undefined
  private givingUp: AbortController | undefined
  private onStop: (() => void) | undefined
  private deadline: NodeJS.Timeout | undefined
  /** How long it may wait at its instance, in seconds. */
  private patience = 0
  private nextLook: NodeJS.Timeout | undefined
  private endWatch: (() => void) | undefined

  constructor(parts: DispatcherParts, run: StoppedRun, leaving: AbortSignal) {
    this.parts = parts
    this.run = run
    this.leaving = leaving
  }

  /** Aborts when it is stopped, or the daemon leaves. */
  get signal(): AbortSignal {
    this.controller ??= new AbortController()
    if (this.abortReason !== undefined) this.controller.abort(this.abortReason)
    return this.controller.signal
  }

  /** Whether the signal is aborted. */
  get isAborted(): boolean {
    return this.abortReason !== undefined
  }

  /** Settles as `work` does, or rejects with the signal's reason. */
  async unlessStopped<Result>(work: Promise<Result>): Promise<Result> {
    if (this.abortReason !== undefined) throw this.abortReason
    return new Promise((resolve, reject) => {
      this.interrupt = reject
      work.then(resolve, reject)
    })
  }

  /**
   * Watches the row, so that a cancel or an end that is stored there takes effect. A read that fails is tried again
   * soon. Call `close` in the end.
   */
  watch(): void {
    const { demo, arrival } = this.run.prediction
    if (this.leaving.aborted) this.leave()
    this.leaving.addEventListener('abort', this.leave)
    const endChanges = this.parts.changed.onPrediction(demo, arrival, () => void this.look())
    this.endWatch = () => {
      this.leaving.removeEventListener('abort', this.leave)
      endChanges()
    }
    void this.look()
  }

  close(): void {
    this.endWatch?.()
    this.endWatch = undefined
    this.clearDeadline()
    clearTimeout(this.nextLook)
  }

  /** Never rejects. */
  private async look(): Promise<void> {
    const { open } = this.parts
    const { id, arrival } = this.run.prediction
    if (open.isUpToDate) return this.check(open.known(arrival))
    const isRead = await logged(`prediction ${id} could not be watched; tried again soon`, async () => {
      this.check(await open.find(arrival))
    })
    if (isRead || !this.endWatch) return
    clearTimeout(this.nextLook)
    this.nextLook = setTimeout(() => void this.look(), afterFailedReadMs)
  }

  private check(row: OpenPrediction | undefined): void {
    if (!this.endWatch) return
    // The end that was stored here stops nothing: what it is the end of has ended.
    if ((!row && !this.run.ending.isStored) || row?.cancelRequested) this.stop('canceled')
  }

  /** Stops it when it has not begun after so many seconds. */
  setPatience(seconds: number): void {
    this.patience = seconds
    this.clearDeadline()
    this.deadline = setTimeout(() => this.stop('timeout'), Math.min(seconds * 1000, longestTimerMs))
  }

  /** Stops it at the deadline of its row, if there is one, but not before `leastMs` from now. */
  setDeadline(leastMs = 0): void {
    const { deadlineAt } = this.run.prediction
    if (!deadlineAt) return
    this.clearDeadline()
    const left = Math.max(leastMs, Date.parse(deadlineAt) - Date.parse(this.parts.now()))
    this.deadline = setTimeout(() => this.stop('timeout'), left)
  }

  clearDeadline(): void {
    clearTimeout(this.deadline)
  }

  /**
   * Stores the end that belongs to the stop. Call it after the stop, when nothing more is expected from the instance.
   */
  end(): Promise<void> {
    const { ending, prediction } = this.run
    if (this.reason !== 'timeout') return ending.canceled()
    return prediction.running ? ending.timedOut() : ending.neverBegan(this.patience)
  }

  /**
   * While its instance is listened to: after a stop it tells the instance, gives it some time to report the end, and
   * then ends the prediction without a report. Aborts `givingUp` when the instance is no longer listened to. Returns
   * what ends this.
   */
  whileFollowed(givingUp: AbortController): () => Promise<void> {
    this.givingUp = givingUp
    if (this.leaving.aborted) givingUp.abort('leaving')
    const done = new AbortController()
    let ending: Promise<void> | undefined
    this.onStop = () => {
      ending ??= this.endStopped(done.signal, givingUp)
    }
    if (this.reason) this.onStop()
    return async () => {
      this.onStop = undefined
      this.givingUp = undefined
      if (!ending) return
      done.abort('over')
      await ending
    }
  }

  private async endStopped(done: AbortSignal, givingUp: AbortController): Promise<void> {
    const { cancelMs } = this.parts.limits
    try {
      // If this cannot be stored now, the end is stored below. The instance is told to end it all the same.
      if (this.reason === 'timeout')
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
      givingUp.abort('stopped')
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

  private stop(reason: StopReason): void {
    if (this.reason) return
    this.reason = reason
    this.abort(reason)
    this.onStop?.()
  }

  private abort(reason: StopReason | 'leaving'): void {
    if (this.abortReason !== undefined) return
    this.abortReason = reason
    this.controller?.abort(reason)
    this.interrupt?.(reason)
  }

  private readonly leave = (): void => {
    this.abort('leaving')
    this.givingUp?.abort('leaving')
  }

  private reportStubborn(): void {
    const { deployment } = this.run
    log.error(`the instance of deployment ${deployment} does not end what it was told to`)
    this.parts.lookAt?.(deployment, 'runs on')
  }
}
