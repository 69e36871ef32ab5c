import type { IncomingMessage } from 'node:http'
import { type Duplex, duplexPair } from 'node:stream'
import {
  isPredictionId,
  type PredictionEvent,
  type PredictionId,
  type PredictionSnapshot,
  type VisitorId,
} from '@origami/protocol/demo'
import type { FastifyInstance } from 'fastify'
import { defaultDeadlines } from '../client/deadlines.ts'
import { toldOf } from '../http/errors.ts'
import { type InputOptions, submitInput } from '../http/submit.ts'
import type { Prediction, Predictor } from '../predictor.ts'
import { FrameSocket } from './frame-socket.ts'
import {
  type Caller,
  callerMessage,
  type Find,
  linkProtocol,
  mostBytes,
  type Predict,
  type ServerMessage,
  windowBytes,
} from './messages.ts'

export interface LinkOptions extends InputOptions {
  /** The predictor that a call is for. Undefined: there is no such demo. */
  predictor(caller: Caller): Promise<Predictor | undefined>
  visitor?(caller: Caller): VisitorId | undefined
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
 * `PUT /predictions/{id}` and `GET …/events` do, for callers who make or follow many. The server needs the
 * options `linkable`. Returns what opens a link for a caller in the same process.
 */
export function acceptLinks(app: FastifyInstance, options: LinkOptions): () => Duplex {
  const links = new Set<ServedLink>()
  const serve = (socket: Duplex, head?: Buffer) => {
    const link = new ServedLink(socket, head, options, {
      log: (error) => app.log.error(error, 'a call over a link failed'),
      onClose: () => links.delete(link),
    })
    links.add(link)
  }
  app.server.on('upgrade', (_request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Until it is read, a connection that breaks would end the process.
    socket.on('error', () => undefined)
    if (links.size >= mostLinks)
      return void socket.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: ${linkProtocol}\r\n\r\n`)
    serve(socket, head)
  })
  app.addHook('preClose', async () => {
    for (const link of links) link.end()
  })
  return () => {
    const [callers, served] = duplexPair()
    serve(served)
    return callers
  }
}

interface LinkHooks {
  readonly log: (error: unknown) => void
  readonly onClose: () => void
}

type Known<Asked> = Asked & { readonly id: PredictionId }
type Answer = (call: ServedCall, id: PredictionId) => Promise<void>

/** An open link, as the side has it that is called. */
class ServedLink {
  private readonly frames: FrameSocket
  private readonly options: LinkOptions
  private readonly hooks: LinkHooks
  private readonly calls = new Map<number, ServedCall>()

  constructor(socket: Duplex, head: Buffer | undefined, options: LinkOptions, hooks: LinkHooks) {
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
    const { call: number, predict, find, taken, leave } = callerMessage.parse(message)
    if (predict)
      return void this.serve(number, predict, (call, id) => this.made(number, call, { ...predict, id }, bytes))
    if (find) return void this.serve(number, find, (call, id) => this.found(number, call, { ...find, id }))
    // What comes for a call that is over was on the way before.
    const call = this.calls.get(number)
    if (taken) call?.taken(taken)
    if (leave) call?.leave()
  }

  /** Never rejects. `answer` says what there is to say until the call is over. */
  private async serve(number: number, { id }: { readonly id: string }, answer: Answer): Promise<void> {
    if (this.calls.has(number) || this.calls.size >= mostCalls)
      return void this.send({ call: number, refused: tooManyCalls })
    const call = new ServedCall()
    this.calls.set(number, call)
    try {
      if (!isPredictionId(id)) throw answering(422, 'expected an id of 8 to 64 of A-Z a-z 0-9 _ -')
      await answer(call, id)
    } catch (error) {
      if (call.isLeft) return
      const told = call.isAccepted ? undefined : toldOf(error as Error)
      if (!told) this.hooks.log(error)
      const refused = told ?? { status: 500, body: { error: 'Something went wrong here; the log has it.' } }
      this.send(call.isAccepted ? { call: number, over: true } : { call: number, refused })
    } finally {
      if (this.calls.get(number) === call) this.calls.delete(number)
    }
  }

  private async made(number: number, call: ServedCall, predict: Known<Predict>, bytes: number): Promise<void> {
    if (bytes > this.options.maxBytes()) throw tooLarge(this.options.maxBytes(), bytes)
    const predictor = await this.predictor(predict)
    const { id, input, follow } = predict
    const submitted = { id, input, visitor: this.options.visitor?.(predict), follow, base: '' }
    const schema = await predictor.schema()
    const prediction = await submitInput(predictor, schema, submitted, this.options, () => call.leaving)
    this.accept(number, call)
    if (follow === 'events') return this.follow(number, call, prediction, 0)
    if (call.isLeft) return
    const ended = await endOf(prediction, call.leaving)
    if (!call.isLeft) this.send({ call: number, ...(ended ? { ended } : { over: true }) })
  }

  private async found(number: number, call: ServedCall, { id, after, ...caller }: Known<Find>): Promise<void> {
    const prediction = await (await this.predictor(caller)).find(id)
    if (!prediction) throw answering(404, 'There is no such prediction (any more).')
    if (after === undefined) return void this.send({ call: number, accepted: true, over: true })
    this.accept(number, call)
    await this.follow(number, call, prediction, after)
  }

  private async predictor(caller: Caller): Promise<Predictor> {
    const predictor = await this.options.predictor(caller)
    if (!predictor) throw answering(404, 'There is no such demo.')
    return predictor
  }

  private accept(number: number, call: ServedCall): void {
    call.isAccepted = true
    // An end that comes at once goes with it, in one write.
    if (!call.isLeft) this.frames.send({ call: number, accepted: true }, false)
  }

  private async follow(number: number, call: ServedCall, prediction: Prediction, after: number): Promise<void> {
    if (call.isLeft) return
    const { callerQueues = false } = this.options
    for await (const event of prediction.events(after, call.leaving)) {
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
  isAccepted = false
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
  if (prediction.ended) return prediction.ended(signal)
  for await (const event of prediction.events(0, signal)) if (event.type === 'completed') return event.data
  return undefined
}

const answering = (statusCode: number, message: string): Error => Object.assign(new Error(message), { statusCode })
