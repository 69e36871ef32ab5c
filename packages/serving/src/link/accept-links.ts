import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { isPredictionId, type PredictionEvent, type PredictionSnapshot, type VisitorId } from '@origami/protocol/demo'
import type { FastifyInstance } from 'fastify'
import { defaultDeadlines } from '../client/deadlines.ts'
import { toldOf } from '../http/errors.ts'
import { type InputOptions, submitInput } from '../http/submit.ts'
import type { Prediction, Predictor } from '../predictor.ts'
import { FrameSocket } from './frame-socket.ts'
import { callerMessage, linkProtocol, mostBytes, type Predict, type ServerMessage, windowBytes } from './messages.ts'

export interface LinkOptions extends InputOptions {
  /** The predictor that a call is for. Undefined: there is no such demo. */
  predictor(call: Predict): Promise<Predictor | undefined>
  visitor?(call: Predict): VisitorId | undefined
  /** The largest body in bytes, as over HTTP. Called for each prediction. */
  maxBytes(): number
  /** How long the other side may be silent. The default is a minute. */
  silenceMs?(): number
  /**
   * Whether the caller keeps the queue. It is told at once what has begun, since it sends elsewhere what has not, and
   * no places.
   */
  readonly callerQueues?: boolean
}

/** Links that are open at the same time, and calls of one link. */
const mostLinks = 64
const mostCalls = 100_000

/** Options of Node's server: of the requests for another protocol only those for ours are not answered as usual. */
export const linkable = {
  shouldUpgradeCallback: ({ headers, url }: IncomingMessage): boolean =>
    url === '/link' && headers.upgrade === linkProtocol,
} as const

/**
 * Takes links at `/link`: a connection on which each prediction is one message, and its events come back. It does what
 * `PUT /predictions/{id}` and `GET …/events` do, for callers who make many. The server needs the options `linkable`.
 */
export function acceptLinks(app: FastifyInstance, options: LinkOptions): void {
  const links = new Set<ServedLink>()
  app.server.on('upgrade', (_request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Until it is read, a connection that breaks would end the process.
    socket.on('error', () => undefined)
    if (links.size >= mostLinks)
      return void socket.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: ${linkProtocol}\r\n\r\n`)
    const link = new ServedLink(socket, head, options, {
      log: (error) => app.log.error(error, 'a call over a link failed'),
      onClose: () => links.delete(link),
    })
    links.add(link)
  })
  app.addHook('preClose', async () => {
    for (const link of links) link.end()
  })
}

interface LinkHooks {
  readonly log: (error: unknown) => void
  readonly onClose: () => void
}

/** An open link, as the side has it that is called. */
class ServedLink {
  private readonly frames: FrameSocket
  private readonly options: LinkOptions
  private readonly hooks: LinkHooks
  private readonly calls = new Map<number, ServedCall>()

  constructor(socket: Duplex, head: Buffer, options: LinkOptions, hooks: LinkHooks) {
    this.options = options
    this.hooks = hooks
    this.frames = new FrameSocket(socket, {
      maxBytes: () => mostBytes,
      silenceMs: () => options.silenceMs?.() ?? defaultDeadlines.idleMs,
      onMessage: (message, bytes) => this.receive(message, bytes),
      onClose: () => {
        for (const call of this.calls.values()) call.leave()
        hooks.onClose()
      },
    })
    this.frames.start(head)
  }

  end(): void {
    this.frames.end()
  }

  /** Throws ZodError for what no caller of ours sends, which ends the link. */
  private receive(message: unknown, bytes: number): void {
    const { call: number, predict, taken, leave } = callerMessage.parse(message)
    if (predict) return void this.serve(number, predict, bytes)
    // What comes for a call that is over was on the way before.
    const call = this.calls.get(number)
    if (taken) call?.taken(taken)
    if (leave) call?.leave()
  }

  /** Never rejects. */
  private async serve(number: number, predict: Predict, bytes: number): Promise<void> {
    if (this.calls.has(number) || this.calls.size >= mostCalls)
      return void this.send({ call: number, refused: tooManyCalls })
    const call = new ServedCall()
    this.calls.set(number, call)
    let isAccepted = false
    try {
      if (bytes > this.options.maxBytes()) throw tooLarge(this.options.maxBytes(), bytes)
      const prediction = await this.submit(predict, call.leaving)
      isAccepted = true
      if (call.isLeft) return
      // An end that comes at once goes with it, in one write.
      this.frames.send({ call: number, accepted: true }, false)
      await this.follow(number, call, prediction, predict.follow)
    } catch (error) {
      if (call.isLeft) return
      const told = isAccepted ? undefined : toldOf(error as Error)
      if (!told) this.hooks.log(error)
      const refused = told ?? { status: 500, body: { error: 'Something went wrong here; the log has it.' } }
      this.send(isAccepted ? { call: number, over: true } : { call: number, refused })
    } finally {
      if (this.calls.get(number) === call) this.calls.delete(number)
    }
  }

  private async submit(predict: Predict, signal: AbortSignal): Promise<Prediction> {
    const { id, input, follow } = predict
    if (!isPredictionId(id)) throw answering(422, 'expected an id of 8 to 64 of A-Z a-z 0-9 _ -')
    const predictor = await this.options.predictor(predict)
    if (!predictor) throw answering(404, 'There is no such demo.')
    const submitted = { id, input, visitor: this.options.visitor?.(predict), follow, base: '' }
    return submitInput(predictor, await predictor.schema(), submitted, this.options, () => signal)
  }

  private async follow(
    number: number,
    call: ServedCall,
    prediction: Prediction,
    follow: Predict['follow'],
  ): Promise<void> {
    if (follow === 'end') {
      const ended = await endOf(prediction, call.leaving)
      if (!call.isLeft) this.send({ call: number, ...(ended ? { ended } : { over: true }) })
      return
    }
    const { callerQueues = false } = this.options
    for await (const event of prediction.events(0, call.leaving)) {
      if (call.isLeft) return
      if (callerQueues && event.type === 'queue') continue
      call.sent(this.send({ call: number, event }, callerQueues || event.type !== 'start'))
      if (event.type === 'completed') return
      if (call.isBehind) await call.room()
    }
    if (!call.isLeft) this.send({ call: number, over: true })
  }

  private send(message: Omit<ServerMessage, 'event'> & { event?: PredictionEvent }, isUrgent = true): number {
    return this.frames.send(message, isUrgent)
  }
}

/** One call of a link. */
class ServedCall {
  private readonly controller = new AbortController()
  private untaken = 0
  private wake: (() => void) | undefined

  get leaving(): AbortSignal {
    return this.controller.signal
  }

  get isLeft(): boolean {
    return this.controller.signal.aborted
  }

  /** Whether its reader takes less than is sent. */
  get isBehind(): boolean {
    return this.untaken > windowBytes && !this.isLeft
  }

  sent(bytes: number): void {
    this.untaken += bytes
  }

  taken(bytes: number): void {
    this.untaken -= bytes
    if (!this.isBehind) this.wake?.()
  }

  leave(): void {
    this.controller.abort(left)
    this.wake?.()
  }

  /** Resolves once its reader has taken enough, or has left. */
  async room(): Promise<void> {
    while (this.isBehind)
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
  }
}

const tooManyCalls = {
  status: 429,
  body: { error: `expected at most ${mostCalls} calls of a link at once, got more` },
  retryAfter: 5,
}
const tooLarge = (limit: number, bytes: number): Error =>
  answering(413, `expected a body of at most ${limit} bytes, got ${bytes}`)
const left = new Error('the caller has left')

/** Undefined: its events ended before it did, or the signal aborted. */
async function endOf(prediction: Prediction, signal: AbortSignal): Promise<PredictionSnapshot | undefined> {
  if (prediction.ended) return prediction.ended()
  for await (const event of prediction.events(0, signal)) if (event.type === 'completed') return event.data
  return undefined
}

const answering = (statusCode: number, message: string): Error => Object.assign(new Error(message), { statusCode })
