import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'

export interface JsonLimits {
  /** The largest body in bytes. Called for each body, so that an operator may change it while the server runs. */
  bytes(): number
  /** How deeply arrays and objects may be nested. The default is 64. */
  readonly depth?: number
  /** The longest time without more of a body. The default is 30 s. Called for each body, as the next two are. */
  idleMs?(): number
  /** The longest time for a whole body. The default is 5 minutes. */
  totalMs?(): number
  /**
   * How many bytes all bodies that are being read may have. The default is 256 MiB, and it is never less than one body.
   */
  heldBytes?(): number
}

/** The limits of JSON bodies that both servers have among their settings. */
export interface BodyLimits {
  readonly bodyBytes: number
  readonly bodyIdleMs: number
  readonly bodyMs: number
  readonly bodiesBytes: number
}

/** Reads these limits anew for each body. */
export const underLimits = (limits: BodyLimits): JsonLimits => ({
  bytes: () => limits.bodyBytes,
  idleMs: () => limits.bodyIdleMs,
  totalMs: () => limits.bodyMs,
  heldBytes: () => limits.bodiesBytes,
})

/**
 * A JSON body was refused: 408 too slow, 413 too large, 422 too deep, 503 too many at once. The message names the limit
 * and what came.
 */
export class BodyRefused extends Error {
  override readonly name = 'BodyRefused'
  readonly statusCode: 408 | 413 | 422 | 503
  constructor(statusCode: 408 | 413 | 422 | 503, message: string) {
    super(message)
    this.statusCode = statusCode
  }
}

/**
 * A body of up to this many times the limit is read to its end before it is refused. For a larger one the connection is
 * closed.
 */
const patience = 4

/**
 * Makes every route of this server read `application/json` bodies only, up to a limit of bytes and of nesting. A
 * refused body is read to its end if that is not too far, so that the caller sees the answer and its connection stays
 * usable.
 */
export function limitJson(app: FastifyInstance, limits: JsonLimits): void {
  const {
    bytes,
    depth = 64,
    idleMs = () => 30_000,
    totalMs = () => 5 * 60_000,
    heldBytes = () => 256 * 1024 ** 2,
  } = limits
  const held = { bytes: 0, most: heldBytes }
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser(['application/json', 'text/plain'])
  app.addContentTypeParser('application/json', (request, payload, done) => {
    const take = (body: Buffer | BodyRefused): void => {
      if (body instanceof BodyRefused) done(null, body)
      else if (isDeeper(body, depth)) done(null, tooDeep(depth))
      // The result is passed to the callback `done`. The promise that the type allows is not used.
      else void parse(request, body.toString('utf8'), done)
    }
    const within = { limit: bytes(), idleMs: idleMs(), totalMs: totalMs(), held }
    new Arriving(payload, request.headers['content-length'], within).whole.then(take, (error: Error) =>
      done(error instanceof BodyRefused ? error : Object.assign(error, { statusCode: 400 })),
    )
  })
  // It is refused here and not in the parser, because an error there would close a working connection.
  app.addHook('preValidation', (request: FastifyRequest, _reply, done) => {
    if (request.body instanceof BodyRefused) done(request.body)
    else done()
  })
}

const tooDeep = (most: number): BodyRefused =>
  new BodyRefused(422, `expected JSON with at most ${most} arrays and objects within each other, got more`)

/** The bytes of all bodies that are being read. */
interface Held {
  bytes: number
  most(): number
}

interface ReadLimits {
  readonly limit: number
  readonly idleMs: number
  readonly totalMs: number
  readonly held: Held
}

/** One body on its way. */
class Arriving {
  /**
   * Resolves to BodyRefused for a body that was read to its end and cannot be taken. Rejects with it when the body is
   * not waited for: no more comes for too long, the whole takes too long, or it is far too large. The caller can still
   * be answered.
   */
  readonly whole: Promise<Buffer | BodyRefused>
  private readonly payload: Readable
  private readonly limits: ReadLimits
  private readonly tooLarge: () => BodyRefused
  private readonly settled = Promise.withResolvers<Buffer | BodyRefused>()
  private readonly startedAt = Date.now()
  private readonly timer: NodeJS.Timeout
  private parts: Buffer[] = []
  private size = 0
  private bytesHeld = 0
  private refused: BodyRefused | undefined

  constructor(payload: Readable, announced: string | undefined, limits: ReadLimits) {
    const { limit, idleMs, totalMs } = limits
    this.whole = this.settled.promise
    this.payload = payload
    this.limits = limits
    this.tooLarge = () => new BodyRefused(413, `expected a body of at most ${limit} bytes, got ${announced ?? 'more'}`)
    this.timer = setTimeout(() => this.late(), Math.min(idleMs, totalMs))
    payload.on('data', this.take).once('end', this.end).once('error', this.leave).once('close', this.leave)
    if (Number(announced ?? 0) > limit * patience) this.stop(this.tooLarge())
  }

  private readonly take = (part: Buffer): void => {
    const { limit, held, totalMs } = this.limits
    this.size += part.length
    if (this.size > limit) this.refused = this.tooLarge()
    else if (held.bytes + part.length > Math.max(held.most(), limit))
      this.refused ??= new BodyRefused(503, 'Too many bodies are being read at once; try again in some seconds.')
    if (this.refused) this.drop()
    else this.keep(part)
    if (this.size > limit * patience) this.stop(this.tooLarge())
    else if (Date.now() - this.startedAt >= totalMs) this.late()
    else this.timer.refresh()
  }

  private readonly end = (): void => {
    const [only = Buffer.alloc(0), ...more] = this.parts
    this.settled.resolve(this.refused ?? (more.length === 0 ? only : Buffer.concat(this.parts)))
    this.drop()
    clearTimeout(this.timer)
  }

  /** The connection broke. After the end it means nothing. */
  private readonly leave = (error?: Error): void => {
    if (error || !this.payload.readableEnded)
      this.settled.reject(error ?? new Error('the connection closed before the end of the body'))
    this.drop()
    clearTimeout(this.timer)
  }

  private late(): void {
    const { idleMs, totalMs } = this.limits
    const isTotal = Date.now() - this.startedAt >= totalMs
    const expected = isTotal
      ? `all of the body within ${totalMs / 1000} s`
      : `more of the body within ${idleMs / 1000} s`
    this.stop(new BodyRefused(408, `expected ${expected}`))
  }

  /** Leaves the connection open for the answer. */
  private stop(why: BodyRefused): void {
    this.payload.off('data', this.take).off('end', this.end).pause()
    this.settled.reject(why)
    this.drop()
    clearTimeout(this.timer)
  }

  private keep(part: Buffer): void {
    this.parts.push(part)
    this.bytesHeld += part.length
    this.limits.held.bytes += part.length
  }

  private drop(): void {
    this.parts = []
    this.limits.held.bytes -= this.bytesHeld
    this.bytesHeld = 0
  }
}

const [quote, backslash, openArray, closeArray, openObject, closeObject] = Buffer.from('"\\[]{}')

/**
 * Counts brackets outside of strings, before parsing, because code that walks the value later may fail at such a depth.
 */
export function isDeeper(json: Buffer, limit: number): boolean {
  let depth = 0
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at]
    if (byte === quote) at = endOfString(json, at)
    else if (byte === openArray || byte === openObject) depth += 1
    else if (byte === closeArray || byte === closeObject) depth -= 1
    if (depth > limit) return true
  }
  return false
}

/** So long are most strings; in a longer one the search outside of JavaScript is faster. */
const shortString = 64

/** The end of the string that begins at `start`: a quote with an even number of backslashes before it. */
function endOfString(json: Buffer, start: number): number {
  const short = Math.min(json.length, start + shortString)
  for (let at = start + 1; at < short; at += 1) {
    if (json[at] === backslash) break
    if (json[at] === quote) return at
  }
  for (let at = json.indexOf('"', start + 1); at >= 0; at = json.indexOf('"', at + 1)) {
    let before = at
    while (json[before - 1] === backslash) before -= 1
    if ((at - before) % 2 === 0) return at
  }
  return json.length
}
