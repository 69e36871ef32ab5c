import type { PredictionEvent, PredictionSnapshot } from '@origami/protocol/demo'
import { type CallerMessage, type ServerMessage, windowBytes } from './messages.ts'

/** The server refused a call, with what it would have answered over HTTP. */
export class CallRefused extends Error {
  override readonly name = 'CallRefused'
  readonly status: number
  readonly body: string
  readonly retryAfter: string | undefined
  constructor({ status, body, retryAfter }: NonNullable<ServerMessage['refused']>) {
    super(`refused with ${status}`)
    this.status = status
    this.body = JSON.stringify(body)
    this.retryAfter = retryAfter?.toString()
  }
}

/** The link broke, or nothing came in time, before the call was answered. Whether it arrived is not known. */
export class CallLost extends Error {
  override readonly name = 'CallLost'
}

interface Arrived {
  readonly event: PredictionEvent
  readonly bytes: number
}

/** One prediction over a link, as its caller follows it. */
export class Call {
  /** Whether nothing more comes. */
  isOver = false
  /** Resolves once the prediction is stored, or was found. */
  readonly accepted: Promise<void>
  private readonly send: (message: Pick<CallerMessage, 'taken' | 'leave'>) => void
  private readonly answered = Promise.withResolvers<void>()
  private readonly answerBy: number
  private isAnswered = false
  private arrived: Arrived[] = []
  private untaken = 0
  private end: PredictionSnapshot | undefined
  private failure: unknown
  private wake: (() => void) | undefined

  constructor(send: (message: Pick<CallerMessage, 'taken' | 'leave'>) => void, answerMs: number) {
    this.send = send
    this.accepted = this.answered.promise
    this.answerBy = performance.now() + answerMs
  }

  /**
   * The events from the first on. Ends after `completed`, when the signal aborts, and earlier when the server sends no
   * more. Throws Misbehaved. Who stops reading leaves.
   */
  async *events(signal?: AbortSignal): AsyncGenerator<PredictionEvent, void, void> {
    const wake = () => this.wake?.()
    signal?.addEventListener('abort', wake, { once: true })
    try {
      while (!signal?.aborted) {
        const arrived = this.arrived
        this.arrived = []
        for (const { event, bytes } of arrived) {
          this.took(bytes)
          yield event
          if (event.type === 'completed' || signal?.aborted) return
        }
        if (arrived.length > 0) continue
        if (this.failure !== undefined) throw this.failure
        if (this.isOver) return
        await this.more()
      }
    } finally {
      signal?.removeEventListener('abort', wake)
      this.leave()
    }
  }

  /** The end. Undefined: the server sends no more. Throws Misbehaved. */
  async ended(): Promise<PredictionSnapshot | undefined> {
    while (!this.isOver) await this.more()
    if (this.failure !== undefined) throw this.failure
    return this.end
  }

  /** Follows no more. The prediction goes on. */
  leave(): void {
    if (this.isOver) return
    this.isOver = true
    this.send({ leave: true })
    this.wake?.()
  }

  receive({ accepted, event, ended, refused, over }: ServerMessage, bytes: number): void {
    if (accepted) this.answer()
    if (event) this.arrived.push({ event, bytes })
    if (ended) this.end = ended
    if (refused) this.stop(new CallRefused(refused))
    else if (over || ended || event?.type === 'completed') this.stop()
    this.wake?.()
  }

  /** Fails with what was wrong with it, and leaves. */
  fail(error: unknown): void {
    this.failure = error
    this.answered.reject(error)
    this.leave()
  }

  /** The link broke. */
  lose(cause?: Error): void {
    if (!this.isAnswered) this.answered.reject(new CallLost('the link broke', { cause }))
    this.isOver = true
    this.wake?.()
  }

  check(nowMs: number): void {
    if (!this.isAnswered && nowMs > this.answerBy) this.fail(new CallLost('nothing came in time'))
  }

  private answer(): void {
    this.isAnswered = true
    this.answered.resolve()
  }

  /** Nothing more comes. */
  private stop(error?: Error): void {
    this.isOver = true
    if (this.isAnswered) return
    this.isAnswered = true
    this.answered.reject(error ?? new CallLost('it was over before it was accepted'))
  }

  private took(bytes: number): void {
    this.untaken += bytes
    if (this.isOver || this.untaken < windowBytes / 4) return
    this.send({ taken: this.untaken })
    this.untaken = 0
  }

  private async more(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.wake = resolve
    })
    this.wake = undefined
  }
}
