import type { Readable } from 'node:stream'
import { Gone } from '@origami/protocol/demo'
import { Agent, type Dispatcher, request } from 'undici'
import { inPieces } from '../files/in-pieces.ts'
import { BodyRefused } from '../http/limit-json.ts'
import type { LinkClient } from '../link/link-client.ts'
import type { Predict } from '../link/messages.ts'
import { type Deadlines, defaultDeadlines, Idle, readCaps } from './deadlines.ts'
import { answerError, Misbehaved } from './refusal.ts'

export interface HttpClientOptions {
  /** The address of its predictions API: `http://127.0.0.1:6000`, `https://daemon:6001/demos/<id>`. */
  readonly base: string
  readonly dispatcher?: Dispatcher | undefined
  /** Called for each request. */
  readonly headers?: () => Readonly<Record<string, string>>
  /** What errors call it, for callers who must not see its address. */
  readonly name?: string
  /** The messages for callers who must not see its address. */
  readonly messages?: {
    /** Nobody answers there. */
    readonly away: string
    /** The demo is unknown there. */
    readonly missing: string
  }
  /** The link to the same server, by which predictions are made where it has one. */
  readonly link?: LinkClient | undefined
  /** What a call over the link says besides the prediction. */
  readonly linked?: Pick<Predict, 'demo' | 'visitor' | 'address'>
  /** Called for each request, so that an operator may change them while the server runs. */
  readonly deadlines?: () => Partial<Deadlines>
}

/** There was no answer in time, or the connection broke. Whether the request arrived is not known. */
export class Unanswered extends Gone {}

interface RequestParts {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | AsyncIterable<Uint8Array>
  /** The caller's own signal. Aborting it throws its reason. */
  readonly signal?: AbortSignal | undefined
}

const noHeaders = () => ({})
const neverConnected = new Set(['ECONNREFUSED', 'UND_ERR_CONNECT_TIMEOUT', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH'])
const direct = new Agent({ connect: { timeout: 5_000 }, headersTimeout: 0, bodyTimeout: 0 })

/**
 * Plain HTTP with undici's `request`, since `fetch` refuses port 6000. Each answer is read with a deadline and a limit
 * of bytes.
 */
export class HttpClient {
  readonly base: string
  /** What errors call it. */
  readonly name: string
  private readonly options: HttpClientOptions

  constructor(options: HttpClientOptions) {
    this.options = options
    this.base = options.base.replace(/\/$/, '')
    this.name = options.name ?? this.base
  }

  private get deadlines(): Deadlines {
    return { ...defaultDeadlines, ...this.options.deadlines?.() }
  }

  /**
   * Reads a small answer as JSON. Throws Invalid, Full, Gone or ServerFault, and Misbehaved when it is no JSON or has
   * more than `cap` bytes.
   */
  async json(method: Dispatcher.HttpMethod, path: string, cap: number, sent: RequestParts = {}): Promise<unknown> {
    return this.answer(sent.signal, (within) => this.readJson(method, path, cap, { ...sent, signal: within }))
  }

  /** The status and headers of an answer whose body is not needed. */
  async head(method: Dispatcher.HttpMethod, path: string, signal?: AbortSignal): Promise<Dispatcher.ResponseData> {
    return this.answer(signal, async (within) => {
      const response = await this.send(method, path, { signal: within })
      await response.body.dump()
      return response
    })
  }

  /** Sends bytes with no limit but the time without progress, and reads a small answer. */
  async upload(path: string, headers: Record<string, string>, bytes: AsyncIterable<Uint8Array>, signal?: AbortSignal) {
    using idle = new Idle(this.deadlines.idleMs)
    const source = new UploadSource(idle.watching(bytes))
    const sent = { headers, body: source.bytes(), signal: together(signal, idle.signal) }
    return await this.translated(signal, () => this.readJson('PUT', path, readCaps.error, sent).catch(source.rethrow))
  }

  /**
   * Yields the bytes of an answer with no limit but the time without progress. Throws Misbehaved when `accept` names a
   * type and another one came.
   */
  async *download(path: string, headers: Record<string, string>, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    using idle = new Idle(this.deadlines.idleMs)
    const sent = { headers, signal: together(signal, idle.signal) }
    try {
      const { statusCode, headers: answered, body } = await this.send('GET', path, sent)
      if (statusCode >= 300)
        throw this.refusal(statusCode, await readText(body, readCaps.error), answered['retry-after'])
      this.checkType(path, headers.accept, answered['content-type'])
      try {
        yield* idle.watching(inPieces(body))
      } finally {
        // A body that was read to its end is not changed by this. Any other would keep its connection.
        body.destroy()
      }
    } catch (error) {
      throw this.translate(error, signal)
    }
  }

  private checkType(path: string, accepted: string | undefined, type: string | string[] | undefined): void {
    if (accepted === undefined || String(type).toLowerCase().startsWith(accepted)) return
    const came = type === undefined ? 'no type' : String(type).slice(0, 100)
    throw new Misbehaved(`expected ${accepted} from ${this.name}${path}, got ${came}`)
  }

  private async answer<Result>(
    signal: AbortSignal | undefined,
    work: (within: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    return this.translated(signal, () => work(together(signal, AbortSignal.timeout(this.deadlines.answerMs))))
  }

  private async readJson(
    method: Dispatcher.HttpMethod,
    path: string,
    cap: number,
    sent: RequestParts,
  ): Promise<unknown> {
    const response = await this.send(method, path, sent)
    const answered = await readText(response.body, response.statusCode < 300 ? cap : readCaps.error)
    if (response.statusCode >= 300) throw this.refusal(response.statusCode, answered, response.headers['retry-after'])
    try {
      return JSON.parse(answered)
    } catch (cause) {
      throw new Misbehaved(`expected JSON from ${this.name}${path}, got ${JSON.stringify(answered.slice(0, 100))}`, {
        cause,
      })
    }
  }

  private async send(
    method: Dispatcher.HttpMethod,
    path: string,
    sent: RequestParts,
  ): Promise<Dispatcher.ResponseData> {
    const { dispatcher = direct, headers = noHeaders } = this.options
    const timeouts = { headersTimeout: 0, bodyTimeout: 0 }
    const { body, signal = null } = sent
    return request(`${this.base}${path}`, {
      ...timeouts,
      method,
      headers: { ...headers(), ...sent.headers },
      dispatcher,
      signal,
      // Undici sends every async iterable, although its types name only streams.
      ...(body === undefined ? {} : { body: body as string | Readable }),
    })
  }

  /** The error for an answer with a status of 300 or above. */
  refusal(status: number, answered: string, retryAfter: unknown): Error {
    const { messages } = this.options
    return status === 404 && messages
      ? new Gone(messages.missing)
      : answerError(this.name, status, answered, retryAfter)
  }

  /** The error for a request whose answer did not come. */
  unanswered(cause: Error): Unanswered {
    return new Unanswered(this.options.messages?.away ?? `nobody answers at ${this.name}`, { cause })
  }

  private async translated<Result>(signal: AbortSignal | undefined, work: () => Promise<Result>): Promise<Result> {
    return work().catch((error: unknown) => {
      throw this.translate(error, signal)
    })
  }

  /**
   * Turns a failure of the transport into Gone. Errors that the server answered, and the caller's abort, stay as they
   * are.
   */
  private translate(error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) return signal.reason
    if (!isTransport(error)) return error
    const message = this.options.messages?.away ?? `nobody answers at ${this.name}`
    return neverConnected.has(String(error.code))
      ? new Gone(message, { cause: error })
      : new Unanswered(message, { cause: error })
  }
}

/** Bytes to be sent. When reading them fails, that error is thrown and not the one of the broken request. */
class UploadSource {
  private readonly content: AsyncIterable<Uint8Array>
  private broken: { error: unknown } | undefined

  constructor(content: AsyncIterable<Uint8Array>) {
    this.content = content
  }

  async *bytes(): AsyncIterable<Uint8Array> {
    try {
      yield* this.content
    } catch (error) {
      this.broken = { error }
      throw error
    }
  }

  readonly rethrow = (error: unknown): never => {
    // A caller who sends the bytes to us too slowly gets that error.
    if (this.broken?.error instanceof BodyRefused) throw this.broken.error
    if (this.broken) throw new Error('what was to be sent cannot be read', { cause: this.broken.error })
    throw error
  }
}

/** Reads a body as text. Throws Misbehaved above `cap` bytes, and closes the connection. */
async function readText(body: Dispatcher.ResponseData['body'], cap: number): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > cap) throw new Misbehaved(`expected an answer of at most ${cap} bytes, got more`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

const together = (signal: AbortSignal | undefined, deadline: AbortSignal): AbortSignal =>
  signal ? AbortSignal.any([signal, deadline]) : deadline

/** Whether an error comes from undici, a socket or a deadline, judged by its fields. */
function isTransport(error: unknown): error is Error & { code?: string | number } {
  if (!(error instanceof Error)) return false
  return (
    'code' in error ||
    error.name === 'AbortError' ||
    error.name === 'TimeoutError' ||
    error.message.startsWith('nothing moved')
  )
}
