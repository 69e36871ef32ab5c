import type { Readable } from 'node:stream'
import { Gone } from '@origami/protocol/demo'
import { Agent, type Dispatcher, request } from 'undici'
import { BodyRefused } from '../http/limit-json.ts'
import { type Deadlines, defaultDeadlines, Idle, readCaps } from './deadlines.ts'
import { answerError, Misbehaved } from './refusal.ts'

export interface HttpClientOptions {
  /** Where its predictions API hangs: `http://127.0.0.1:6000`, `https://daemon:6001/demos/<id>`. */
  readonly base: string
  readonly dispatcher?: Dispatcher | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** What its callers are told of it, where its address is not for them. */
  readonly messages?: {
    /** Nobody answers. */
    readonly away: string
    /** It knows no such demo. */
    readonly missing: string
  }
  /** Asked anew for each call, so that an operator may change them while the server runs. */
  readonly deadlines?: () => Partial<Deadlines>
}

/** Nobody answered in time, or the connection broke: whether what was sent arrived, nobody knows. */
export class Unanswered extends Gone {}

interface RequestParts {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | AsyncIterable<Uint8Array>
  /** The caller's own: aborting it throws its reason. */
  readonly signal?: AbortSignal | undefined
}

const neverConnected = new Set(['ECONNREFUSED', 'UND_ERR_CONNECT_TIMEOUT', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH'])
const direct = new Agent({ connect: { timeout: 5_000 }, headersTimeout: 0, bodyTimeout: 0 })

/**
 * Plain HTTP by undici's `request`, since `fetch` refuses port 6000. Every answer is read within a deadline and under a
 * cap.
 */
export class HttpClient {
  readonly base: string
  private readonly options: HttpClientOptions

  constructor(options: HttpClientOptions) {
    this.options = options
    this.base = options.base.replace(/\/$/, '')
  }

  private get deadlines(): Deadlines {
    return { ...defaultDeadlines, ...this.options.deadlines?.() }
  }

  /**
   * A small answer as JSON. Throws Invalid | Full | Gone | ServerFault, and Misbehaved when it is none or above `cap`
   * bytes.
   */
  async json(method: Dispatcher.HttpMethod, path: string, cap: number, sent: RequestParts = {}): Promise<unknown> {
    return this.answer(sent.signal, (within) => this.readJson(method, path, cap, { ...sent, signal: within }))
  }

  /** The status and headers of an answer whose body does not matter. */
  async head(method: Dispatcher.HttpMethod, path: string, signal?: AbortSignal): Promise<Dispatcher.ResponseData> {
    return this.answer(signal, async (within) => {
      const response = await this.send(method, path, { signal: within })
      await response.body.dump()
      return response
    })
  }

  /** Sends bytes for as long as they move, and reads a small answer. */
  async upload(path: string, headers: Record<string, string>, bytes: AsyncIterable<Uint8Array>, signal?: AbortSignal) {
    using idle = new Idle(this.deadlines.idleMs)
    const source = new UploadSource(idle.watching(bytes))
    const sent = { headers, body: source.bytes(), signal: together(signal, idle.signal) }
    return await this.translated(signal, () => this.readJson('PUT', path, readCaps.error, sent).catch(source.rethrow))
  }

  /**
   * The bytes of an answer, for as long as they move. Throws Misbehaved where `accept` names a type and another came.
   */
  async *download(path: string, headers: Record<string, string>, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    using idle = new Idle(this.deadlines.idleMs)
    const sent = { headers, signal: together(signal, idle.signal) }
    try {
      const { statusCode, headers: answered, body } = await this.send('GET', path, sent)
      if (statusCode >= 300)
        throw this.refusal(statusCode, await readText(body, readCaps.error), answered['retry-after'])
      this.checkType(path, headers.accept, answered['content-type'])
      yield* idle.watching(body)
    } catch (error) {
      throw this.translate(error, signal)
    }
  }

  private checkType(path: string, accepted: string | undefined, type: string | string[] | undefined): void {
    if (accepted === undefined || String(type).toLowerCase().startsWith(accepted)) return
    const came = type === undefined ? 'no type' : String(type).slice(0, 100)
    throw new Misbehaved(`expected ${accepted} from ${this.base}${path}, got ${came}`)
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
      throw new Misbehaved(`expected JSON from ${this.base}${path}, got ${JSON.stringify(answered.slice(0, 100))}`, {
        cause,
      })
    }
  }

  private async send(
    method: Dispatcher.HttpMethod,
    path: string,
    sent: RequestParts,
  ): Promise<Dispatcher.ResponseData> {
    const { dispatcher = direct, headers } = this.options
    const timeouts = { headersTimeout: 0, bodyTimeout: 0 }
    const { body, signal = null } = sent
    return request(`${this.base}${path}`, {
      ...timeouts,
      method,
      headers: { ...headers, ...sent.headers },
      dispatcher,
      signal,
      // Undici sends every async iterable; its types name streams alone.
      ...(body === undefined ? {} : { body: body as string | Readable }),
    })
  }

  private refusal(status: number, answered: string, retryAfter: unknown): Error {
    const { messages } = this.options
    return status === 404 && messages
      ? new Gone(messages.missing)
      : answerError(this.base, status, answered, retryAfter)
  }

  private async translated<Result>(signal: AbortSignal | undefined, work: () => Promise<Result>): Promise<Result> {
    return work().catch((error: unknown) => {
      throw this.translate(error, signal)
    })
  }

  /** A failure on the way becomes Gone; what was answered, and what the caller aborted, stays what it is. */
  private translate(error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) return signal.reason
    if (!isTransport(error)) return error
    const message = this.options.messages?.away ?? `nobody answers at ${this.base}`
    return neverConnected.has(String(error.code))
      ? new Gone(message, { cause: error })
      : new Unanswered(message, { cause: error })
  }
}

/** Bytes that are sent. When reading them fails, the error says so, and not that nobody answers. */
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
    // Whoever sends it here too slowly is told so.
    if (this.broken?.error instanceof BodyRefused) throw this.broken.error
    if (this.broken) throw new Error('what was to be sent cannot be read', { cause: this.broken.error })
    throw error
  }
}

/** Reads a body as text. Throws Misbehaved above `cap` bytes, and the connection goes. */
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

/** Errors of undici, of sockets, and of a deadline, by what they carry. */
function isTransport(error: unknown): error is Error & { code?: string | number } {
  if (!(error instanceof Error)) return false
  return (
    'code' in error ||
    error.name === 'AbortError' ||
    error.name === 'TimeoutError' ||
    error.message.startsWith('nothing moved')
  )
}
