import type { Duplex } from 'node:stream'
import { z } from 'zod'
import { type Deadlines, readCaps } from '../client/deadlines.ts'
import { Misbehaved } from '../client/refusal.ts'
import { Call } from './call.ts'
import { encodeFrame, FrameSocket } from './frame-socket.ts'
import { type CallerMessage, type Find, mostBytes, type Predict, serverMessage } from './messages.ts'

/** A link that nobody uses for so long is closed. */
const unusedMs = 60_000
const checkMs = 1000
const numbered = z.object({ call: z.int() })

/** An open link, as the side has it that calls. */
export class Link {
  private readonly frames: FrameSocket
  private readonly deadlines: () => Deadlines
  private readonly calls = new Map<number, Call>()
  private readonly timer: NodeJS.Timeout
  private lastCall = 0
  private lastUsedMs = performance.now()
  private isRetired = false

  constructor(socket: Duplex, deadlines: () => Deadlines) {
    this.deadlines = deadlines
    this.frames = new FrameSocket(socket, {
      maxBytes: () => readCaps.event,
      silenceMs: () => deadlines().idleMs,
      onMessage: (message, bytes) => this.receive(message, bytes),
      onClose: (error) => this.broken(error),
    })
    this.timer = setInterval(() => this.check(), checkMs)
    this.timer.unref()
    this.frames.start()
  }

  get closed(): boolean {
    return this.frames.closed || this.isRetired
  }

  /**
   * Resolves once the prediction is stored. Throws CallRefused, CallLost, Misbehaved, or the signal's reason. Who then
   * reads neither its events nor its end leaves it. Undefined: it is too large for a link, and was not sent.
   */
  predict(predict: Predict, signal?: AbortSignal): Promise<Call | undefined> {
    return this.call({ predict }, signal)
  }

  /** Resolves once the prediction is found. Throws as `predict` does; CallRefused has 404 where there is none such. */
  find(find: Find, signal?: AbortSignal): Promise<Call | undefined> {
    return this.call({ find }, signal)
  }

  private async call(
    asked: Pick<CallerMessage, 'predict' | 'find'>,
    signal: AbortSignal | undefined,
  ): Promise<Call | undefined> {
    signal?.throwIfAborted()
    const number = this.lastCall + 1
    const frame = encodeFrame({ call: number, ...asked } satisfies CallerMessage)
    if (frame.length > mostBytes) return undefined
    this.lastCall = number
    const call = new Call((message) => this.send({ call: number, ...message }), this.deadlines().answerMs)
    this.calls.set(number, call)
    this.frames.sendFrame(frame)
    const leave = () => call.fail(signal?.reason)
    signal?.addEventListener('abort', leave, { once: true })
    try {
      await call.accepted
      return call
    } catch (error) {
      call.leave()
      throw error
    } finally {
      signal?.removeEventListener('abort', leave)
    }
  }

  retire(): void {
    this.isRetired = true
    if (this.calls.size === 0) this.close()
  }

  close(): void {
    this.frames.end()
  }

  private send(message: CallerMessage): void {
    if (message.leave) this.forget(message.call)
    this.frames.send(message)
  }

  private forget(number: number): void {
    this.calls.delete(number)
    this.lastUsedMs = performance.now()
    if (this.isRetired && this.calls.size === 0) this.close()
  }

  private receive(message: unknown, bytes: number): void {
    const { data, error } = serverMessage.safeParse(message)
    const number = data?.call ?? numbered.safeParse(message).data?.call
    // What comes after a call has left was on the way before.
    const call = number === undefined ? undefined : this.calls.get(number)
    if (data && call) call.receive(data, bytes)
    else call?.fail(new Misbehaved(`expected a message of a link: ${error ? z.prettifyError(error) : ''}`))
    if (number !== undefined && call?.isOver) this.forget(number)
  }

  private check(): void {
    const now = performance.now()
    for (const call of this.calls.values()) call.check(now)
    if (this.calls.size === 0 && now - this.lastUsedMs > unusedMs) this.close()
  }

  private broken(error: Error | undefined): void {
    clearInterval(this.timer)
    const calls = [...this.calls.values()]
    this.calls.clear()
    for (const call of calls) call.lose(error)
  }
}
