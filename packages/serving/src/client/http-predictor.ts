import { setTimeout } from 'node:timers/promises'
import {
  type DemoSchema,
  demoSchema,
  type FileRef,
  Full,
  Gone,
  type Health,
  health,
  Invalid,
  type PredictionEvent,
  type PredictionId,
  type PredictionSnapshot,
  parseFileRef,
  predictionSnapshot,
} from '@origami/protocol/demo'
import { type Dispatcher, request } from 'undici'
import type { Files, OpenFile, Prediction, PredictionRequest, Predictor } from '../predictor.ts'
import { readEvents } from '../sse/read.ts'

export interface HttpPredictorOptions {
  /** Where its predictions API hangs: `http://127.0.0.1:6000`, `https://daemon:6001/demos/<id>`. */
  readonly base: string
  readonly dispatcher?: Dispatcher | undefined
  readonly headers?: Readonly<Record<string, string>>
}

type Sent = Omit<NonNullable<Parameters<typeof request>[1]>, 'body'> & { body?: unknown }

const reconnects = 5

/** A demo over there, by its predictions API. Speaks plain HTTP by undici's `request`, since `fetch` refuses port 6000. */
export class HttpPredictor implements Predictor {
  private readonly base: string
  private readonly options: HttpPredictorOptions
  readonly files: Files

  constructor(options: HttpPredictorOptions) {
    this.options = options
    this.base = options.base.replace(/\/$/, '')
    this.files = { put: (...given) => this.put(...given), open: (ref) => this.open(ref) }
  }

  async schema(): Promise<DemoSchema> {
    return demoSchema.parse(await this.json('GET', '/schema'))
  }

  async health(): Promise<Health> {
    return health.parse(await this.json('GET', '/health-check'))
  }

  async submit({ id, input }: PredictionRequest): Promise<Prediction> {
    await this.json('PUT', `/predictions/${id}`, { headers: { prefer: 'respond-async' }, body: { input } })
    return this.prediction(id)
  }

  async find(id: PredictionId): Promise<Prediction | undefined> {
    const response = await this.send('GET', `/predictions/${id}`)
    await response.body.dump()
    if (response.statusCode === 404) return undefined
    return response.statusCode === 200 ? this.prediction(id) : this.refuse(response.statusCode, '')
  }

  private prediction(id: PredictionId): Prediction {
    return {
      id,
      snapshot: async () => this.withBareRefs(predictionSnapshot.parse(await this.json('GET', `/predictions/${id}`))),
      events: (after = 0, signal) => this.events(id, after, signal),
      cancel: async () => (await this.drained('POST', `/predictions/${id}/cancel`)) === 200,
    }
  }

  /** Connects again where it was when the connection drops. Throws Gone when nobody answers any more. */
  private async *events(id: PredictionId, after: number, signal?: AbortSignal): AsyncIterable<PredictionEvent> {
    let seen = after
    for (let attempt = 0; !signal?.aborted; attempt += 1) {
      try {
        for await (const event of this.stream(id, seen, signal)) {
          if ('seq' in event) seen = event.seq
          attempt = 0
          yield event
          if (event.type === 'completed') return
        }
      } catch (error) {
        if (signal?.aborted) return
        if (error instanceof Gone === false || attempt >= reconnects) throw error
      }
      if (attempt >= reconnects) throw new Gone('the event stream ended before the prediction did')
      await setTimeout(100 * 2 ** attempt, undefined, signal ? { signal } : {}).catch(() => undefined)
    }
  }

  private async *stream(id: PredictionId, after: number, signal?: AbortSignal): AsyncIterable<PredictionEvent> {
    const headers = { 'last-event-id': String(after) }
    const response = await this.send('GET', `/predictions/${id}/events`, { headers, signal: signal ?? null, bodyTimeout: 60_000 })
    if (response.statusCode !== 200) throw this.refusal(response.statusCode, await response.body.text())
    try {
      for await (const { event, id: seq, data } of readEvents(response.body))
        yield this.event({ type: event, data: JSON.parse(data), ...(seq ? { seq: Number(seq) } : {}) } as PredictionEvent)
    } catch (cause) {
      throw new Gone('the connection broke', { cause })
    }
  }

  private event(event: PredictionEvent): PredictionEvent {
    if (event.type === 'completed') return { ...event, data: this.withBareRefs(event.data) }
    return event.type === 'output' ? { ...event, data: { ...event.data, chunk: this.bareRef(event.data.chunk) } } : event
  }

  /** A runtime gives out its files by whole addresses; here they are references again. */
  private withBareRefs(snapshot: PredictionSnapshot): PredictionSnapshot {
    const bare = (values: object) =>
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, this.bareRef(value)]))
    const { output } = snapshot
    const isObject = typeof output === 'object' && output !== null && !Array.isArray(output)
    return { ...snapshot, input: bare(snapshot.input), output: isObject ? bare(output) : this.bareRef(output) }
  }

  private bareRef(value: unknown): unknown {
    return typeof value === 'string' && value.startsWith(`${this.base}/files/`) ? value.slice(this.base.length + 1) : value
  }

  private async put(id: string, name: string, type: string | undefined, bytes: AsyncIterable<Uint8Array>): Promise<FileRef> {
    const headers = { 'content-type': type ?? 'application/octet-stream' }
    const { ref } = (await this.json('PUT', `/files/${id}/${encodeURIComponent(name)}`, { headers, body: bytes })) as {
      ref: string
    }
    const parsed = parseFileRef(ref.slice(ref.lastIndexOf('files/')))
    if (!parsed) throw new Error(`expected a file reference from ${this.base}, got ${ref}`)
    return parsed.ref
  }

  private async open(ref: FileRef): Promise<OpenFile | undefined> {
    const head = await this.send('HEAD', `/${ref}`)
    await head.body.dump()
    if (head.statusCode === 404) return undefined
    if (head.statusCode !== 200) throw this.refusal(head.statusCode, '')
    const size = Number(head.headers['content-length'] ?? 0)
    return {
      name: parseFileRef(ref)?.name ?? 'file',
      type: String(head.headers['content-type'] ?? 'application/octet-stream'),
      size,
      bytes: (start = 0, end = size) => this.bytes(ref, start, end),
    }
  }

  private async *bytes(ref: FileRef, start: number, end: number): AsyncIterable<Uint8Array> {
    if (end <= start) return
    const response = await this.send('GET', `/${ref}`, { headers: { range: `bytes=${start}-${end - 1}` } })
    if (response.statusCode !== 206) throw this.refusal(response.statusCode, await response.body.text())
    yield* response.body
  }

  private async drained(method: 'POST', path: string): Promise<number> {
    const response = await this.send(method, path)
    await response.body.dump()
    return response.statusCode
  }

  private async json(method: Dispatcher.HttpMethod, path: string, sent: Partial<Sent> = {}): Promise<unknown> {
    const plain = sent.body !== undefined && !(Symbol.asyncIterator in Object(sent.body))
    const headers = { ...(plain ? { 'content-type': 'application/json' } : {}), ...(sent.headers as Record<string, string>) }
    const response = await this.send(method, path, { ...sent, headers, ...(plain ? { body: JSON.stringify(sent.body) } : {}) })
    const text = await response.body.text()
    if (response.statusCode >= 300) throw this.refusal(response.statusCode, text)
    return JSON.parse(text)
  }

  private async send(method: Dispatcher.HttpMethod, path: string, sent: Partial<Sent> = {}): Promise<Dispatcher.ResponseData> {
    const { dispatcher, headers } = this.options
    const options = {
      ...sent,
      method,
      headers: { ...headers, ...(sent.headers as Record<string, string>) },
      ...(dispatcher ? { dispatcher } : {}),
    }
    return request(`${this.base}${path}`, options as never).catch((cause: Error & { code?: string }) => {
      if (sent.signal instanceof AbortSignal && sent.signal.aborted) throw cause
      throw new Gone(`nobody answers at ${this.base}`, { cause })
    })
  }

  private refuse(status: number, text: string): never {
    throw this.refusal(status, text)
  }

  private refusal(status: number, text: string): Error {
    const { detail, error } = parsed(text)
    if ((status === 422 || status === 413) && detail)
      return new Invalid(detail.map(({ loc, msg, type }) => ({ ...(loc[2] ? { field: loc[2] } : {}), message: msg, type })))
    if (status === 413) return new Invalid([{ type: 'value_error.too_large', message: error ?? 'it is too large' }])
    if (status === 429) return new Full(error ?? 'the queue is full', 5)
    if (status === 503) return new Gone(error ?? `${this.base} takes no predictions`)
    return new Error(`${this.base} answered ${status}${error ? `: ${error}` : ''}`)
  }
}

function parsed(text: string): { detail?: { loc: string[]; msg: string; type: string }[]; error?: string } {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}
