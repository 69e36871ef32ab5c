import { setTimeout } from 'node:timers/promises'
import { readEvents } from '@origami/host/read-events'
import {
  type DemoSchema,
  demoSchema,
  eventTypes,
  type FileRef,
  Gone,
  type Health,
  health,
  type PredictionEvent,
  type PredictionId,
  type PredictionSnapshot,
  parseFileRef,
  predictionEvent,
  predictionSnapshot,
} from '@origami/protocol/demo'
import { z } from 'zod'
import { refOf } from '../files/addresses.ts'
import { type Call, CallLost, CallRefused } from '../link/call.ts'
import type { Files, OpenFile, Prediction, PredictionRequest, Predictor } from '../predictor.ts'
import { readCaps } from './deadlines.ts'
import { HttpClient, type HttpClientOptions } from './http-client.ts'
import { answerError, Misbehaved } from './refusal.ts'

export type HttpPredictorOptions = HttpClientOptions

const reconnects = 5
/** How often it is tried over a link before. An event that breaks links must not break them for ever. */
const linkTries = 2
const putAnswer = z.object({ ref: z.string() })
const known: ReadonlySet<string> = new Set(eventTypes)

/**
 * A demo on another server, called by its predictions API. Its answers are read with deadlines and limits, and checked
 * by schema.
 */
export class HttpPredictor implements Predictor {
  private readonly options: HttpPredictorOptions
  private madeClient: HttpClient | undefined
  private known: DemoSchema | undefined

  constructor(options: HttpPredictorOptions) {
    this.options = options
  }

  /** Most predictors of a request need it for nothing: what they ask goes over the link. */
  private get client(): HttpClient {
    this.madeClient ??= new HttpClient(this.options)
    return this.madeClient
  }

  private get base(): string {
    return this.client.base
  }

  private get name(): string {
    return this.client.name
  }

  get files(): Files {
    return { put: (...args) => this.put(...args), open: (...args) => this.open(...args) }
  }

  /** Sets the schema that a caller knows already, which is then not asked for. */
  knows(schema: DemoSchema): void {
    this.known = schema
  }

  async schema(signal?: AbortSignal): Promise<DemoSchema> {
    if (this.known) return this.known
    return this.read(demoSchema, '/schema', readCaps.schema, signal)
  }

  async health(signal?: AbortSignal): Promise<Health> {
    return this.read(health, '/health-check', readCaps.health, signal)
  }

  async submit({ id, input, follow }: PredictionRequest, signal?: AbortSignal): Promise<Prediction> {
    const { link, linked } = this.options
    const open = follow && (link?.opened ?? (await link?.open()))
    const call = open && (await open.predict({ ...linked, id, input, follow }, signal).catch(this.asOverHttp))
    if (call) return follow === 'end' ? this.untilEnd(call, id) : this.followed(call, id)
    const headers = { prefer: 'respond-async', 'content-type': 'application/json' }
    const sent = { headers, body: JSON.stringify({ input }), signal }
    await this.client.json('PUT', `/predictions/${id}`, readCaps.snapshot, sent)
    return this.prediction(id)
  }

  async find(id: PredictionId, signal?: AbortSignal): Promise<Prediction | undefined> {
    const link = await this.options.link?.open()
    if (link) {
      const isThere = await link.find({ ...this.options.linked, id }, signal).catch(this.unlessMissing)
      return isThere && this.prediction(id)
    }
    const { statusCode, headers } = await this.client.head('GET', `/predictions/${id}`, signal)
    if (statusCode === 404) return undefined
    if (statusCode !== 200) throw answerError(this.name, statusCode, '', headers['retry-after'])
    return this.prediction(id)
  }

  /** Throws what the same request would throw over HTTP. */
  private readonly asOverHttp = (error: unknown): never => {
    if (error instanceof CallRefused) throw this.client.refusal(error.status, error.body, error.retryAfter)
    if (error instanceof CallLost) throw this.client.unanswered(error)
    throw error
  }

  private readonly unlessMissing = (error: unknown): undefined =>
    error instanceof CallRefused && error.status === 404 ? undefined : this.asOverHttp(error)

  /** Its end comes over the link. */
  private untilEnd(call: Call, id: PredictionId): Prediction {
    const prediction = this.prediction(id)
    return { ...prediction, ended: () => this.ended(call, prediction) }
  }

  /** Its first events come over the link that made it, and what does not come there is asked for. */
  private followed(call: Call, id: PredictionId): Prediction {
    const prediction = this.prediction(id)
    let isRead = false
    const events = (after = 0, signal?: AbortSignal): AsyncIterable<PredictionEvent> => {
      if (isRead || after > 0) return prediction.events(after, signal)
      isRead = true
      return this.eventsOf(call, prediction, signal)
    }
    return { ...prediction, events }
  }

  private async ended(call: Call, prediction: Prediction): Promise<PredictionSnapshot> {
    const end = await call.ended()
    if (end) return this.withBareRefs(end)
    for await (const event of prediction.events()) if (event.type === 'completed') return event.data
    throw new Gone('the event stream ended before the prediction did')
  }

  private async *eventsOf(call: Call, prediction: Prediction, signal?: AbortSignal): AsyncIterable<PredictionEvent> {
    let seen = 0
    for await (const event of call.events(signal)) {
      if ('seq' in event) seen = event.seq
      yield this.event(event)
      if (event.type === 'completed') return
    }
    yield* prediction.events(seen, signal)
  }

  private prediction(id: PredictionId): Prediction {
    return {
      id,
      snapshot: async (signal) =>
        this.withBareRefs(await this.read(predictionSnapshot, `/predictions/${id}`, readCaps.snapshot, signal)),
      events: (after = 0, signal) => this.events(id, after, signal),
      cancel: async (signal) =>
        (await this.client.head('POST', `/predictions/${id}/cancel`, signal)).statusCode === 200,
    }
  }

  /** Reconnects after the last event when the connection breaks. Throws Gone when nobody answers any more. */
  private async *events(id: PredictionId, after: number, signal?: AbortSignal): AsyncIterable<PredictionEvent> {
    let seen = after
    for (let attempt = 0; !signal?.aborted; attempt += 1) {
      try {
        for await (const event of this.stream(id, seen, attempt < linkTries, signal)) {
          if ('seq' in event && event.seq <= seen && event.type !== 'completed') continue
          if ('seq' in event) seen = event.seq
          attempt = 0
          yield event
          if (event.type === 'completed') return
        }
      } catch (error) {
        if (signal?.aborted) return
        if (!(error instanceof Gone) || attempt >= reconnects) throw error
      }
      if (attempt >= reconnects) throw new Gone('the event stream ended before the prediction did')
      // An aborted wait ends the loop by its condition.
      await setTimeout(100 * 2 ** attempt, undefined, signal ? { signal } : {}).catch(() => undefined)
    }
  }

  private async *stream(
    id: PredictionId,
    after: number,
    mayLink: boolean,
    signal?: AbortSignal,
  ): AsyncIterable<PredictionEvent> {
    const link = mayLink ? await this.options.link?.open() : undefined
    const call = await link?.find({ ...this.options.linked, id, after }, signal).catch(this.asOverHttp)
    if (!call) return yield* this.streamOverHttp(id, after, signal)
    for await (const event of call.events(signal)) yield this.event(event)
  }

  private async *streamOverHttp(id: PredictionId, after: number, signal?: AbortSignal): AsyncIterable<PredictionEvent> {
    const headers = { accept: 'text/event-stream', 'last-event-id': String(after) }
    const bytes = this.client.download(`/predictions/${id}/events`, headers, signal)
    const size = { sinceEvent: 0 }
    for await (const { event: type = '', id: seq, data } of readEvents(capped(bytes, size))) {
      size.sinceEvent = 0
      if (!known.has(type)) continue
      yield this.event(
        this.parsed(predictionEvent, { type, data: eventData(data), ...(seq ? { seq: Number(seq) } : {}) }),
      )
    }
  }

  private event(event: PredictionEvent): PredictionEvent {
    if (event.type === 'completed') return { ...event, data: this.withBareRefs(event.data) }
    return event.type === 'output'
      ? { ...event, data: { ...event.data, chunk: this.bareRef(event.data.chunk) } }
      : event
  }

  /** A runtime answers with full URLs of its files, which become references again here. */
  private withBareRefs(snapshot: PredictionSnapshot): PredictionSnapshot {
    const { input, output } = snapshot
    const isObject = typeof output === 'object' && output !== null && !Array.isArray(output)
    const hasUrl =
      Object.values(input).some(this.isUrl) || (isObject ? Object.values(output) : [output]).some(this.isUrl)
    if (!hasUrl) return snapshot
    const bare = (values: object) =>
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, this.bareRef(value)]))
    return { ...snapshot, input: bare(input), output: isObject ? bare(output) : this.bareRef(output) }
  }

  private bareRef(value: unknown): unknown {
    return this.isUrl(value) ? (refOf(this.base, value) ?? value) : value
  }

  /** Whether it begins with the address of the demo over there. */
  private readonly isUrl = (value: unknown): value is string =>
    typeof value === 'string' && value.startsWith(this.options.base)

  private async put(...[id, name, type, bytes, signal, size]: Parameters<Files['put']>): Promise<FileRef> {
    // Chunks of HTTP, which need no size, are copied once more for TLS.
    const length: Record<string, string> = size ? { 'content-length': String(size) } : {}
    const headers = { 'content-type': type ?? 'application/octet-stream', ...length }
    const answer = await this.client.upload(`/files/${id}/${encodeURIComponent(name)}`, headers, bytes, signal)
    const { ref } = this.parsed(putAnswer, answer)
    const found = parseFileRef(ref.slice(ref.lastIndexOf('files/')))
    if (!found) throw new Misbehaved(`expected a file reference from ${this.name}, got ${ref.slice(0, 300)}`)
    return found.ref
  }

  private async open(ref: FileRef, signal?: AbortSignal): Promise<OpenFile | undefined> {
    const { statusCode, headers } = await this.client.head('HEAD', `/${ref}`, signal)
    if (statusCode === 404) return undefined
    if (statusCode !== 200) throw answerError(this.name, statusCode, '', headers['retry-after'])
    const size = this.parsed(z.coerce.number().int().min(0), headers['content-length'] ?? 0)
    return {
      name: parseFileRef(ref)?.name ?? 'file',
      type: String(headers['content-type'] ?? 'application/octet-stream'),
      size,
      bytes: (start = 0, end = size) => this.bytes(ref, start, end, signal),
    }
  }

  private async *bytes(ref: FileRef, start: number, end: number, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    if (end <= start) return
    let left = end - start
    for await (const part of this.client.download(`/${ref}`, { range: `bytes=${start}-${end - 1}` }, signal)) {
      left -= part.length
      if (left < 0) throw new Misbehaved(`expected ${end - start} bytes of ${ref} from ${this.name}, got more`)
      yield part
    }
  }

  private async read<Answer>(
    schema: z.ZodType<Answer>,
    path: string,
    cap: number,
    signal?: AbortSignal,
  ): Promise<Answer> {
    return this.parsed(schema, await this.client.json('GET', path, cap, { signal }))
  }

  /**
   * Throws Misbehaved that says what is wrong, because a faulty answer of another server is no error of the caller's
   * input.
   */
  private parsed<Answer>(schema: z.ZodType<Answer>, answer: unknown): Answer {
    const { data, error } = schema.safeParse(answer)
    if (error) throw new Misbehaved(`${this.name} answered something else than expected: ${z.prettifyError(error)}`)
    return data as Answer
  }
}

/** Throws Misbehaved once one event is larger than its limit. The reader resets the count at each event. */
async function* capped(bytes: AsyncIterable<Uint8Array>, size: { sinceEvent: number }): AsyncIterable<Uint8Array> {
  for await (const part of bytes) {
    size.sinceEvent += part.length
    if (size.sinceEvent > readCaps.event)
      throw new Misbehaved(`expected an event of at most ${readCaps.event} bytes, got more`)
    yield part
  }
}

function eventData(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Misbehaved(`expected the data of an event as JSON, got ${JSON.stringify(text.slice(0, 100))}`, { cause })
  }
}
