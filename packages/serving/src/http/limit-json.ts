import type { FastifyInstance, FastifyRequest } from 'fastify'

export interface JsonLimits {
  /** Bytes of one body; asked for each, so that an operator may change it while the server runs. */
  bytes(): number
  /** Arrays and objects within each other; 64 when not said. */
  readonly depth?: number
}

/** A JSON body that is not taken: 413 too large, 422 too deep. The message says the limit and what came. */
export class BodyRefused extends Error {
  override readonly name = 'BodyRefused'
  readonly statusCode: 413 | 422
  constructor(statusCode: 413 | 422, message: string) {
    super(message)
    this.statusCode = statusCode
  }
}

/** A body of so many times the limit is read to its end before it is refused; of a larger one the connection is closed. */
const patience = 4

/**
 * Reads `application/json` bodies up to a limit of bytes and of depth, on every route of this server.
 * What is refused is read to its end first, within reason: the caller sees the answer, and its connection stays usable.
 */
export function limitJson(app: FastifyInstance, { bytes, depth = 64 }: JsonLimits): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', (request, payload, done) => {
    readUpTo(bytes(), payload, request.headers['content-length']).then(
      (body) => {
        if (body instanceof BodyRefused) return done(null, body)
        if (isDeeper(body, depth))
          return done(
            null,
            new BodyRefused(422, `expected JSON with at most ${depth} arrays and objects within each other, got more`),
          )
        // Every use of `done` is the callback's; the promise that the type allows is never made.
        void parse(request, body.toString('utf8'), done)
      },
      (error: Error) => done(error instanceof BodyRefused ? error : Object.assign(error, { statusCode: 400 })),
    )
  })
  // Refused here and not by the parser, which would close a connection that is in order.
  app.addHook('preValidation', async (request: FastifyRequest) => {
    if (request.body instanceof BodyRefused) throw request.body
  })
}

async function readUpTo(
  limit: number,
  payload: AsyncIterable<Buffer>,
  announced: string | undefined,
): Promise<Buffer | BodyRefused> {
  const refused = new BodyRefused(413, `expected a body of at most ${limit} bytes, got ${announced ?? 'more'}`)
  if (Number(announced ?? 0) > limit * patience) throw refused
  const parts: Buffer[] = []
  let size = 0
  for await (const part of payload) {
    size += part.length
    if (size <= limit) parts.push(part)
    else parts.length = 0
    if (size > limit * patience) throw refused
  }
  return size > limit ? refused : Buffer.concat(parts)
}

const [quote, backslash, openArray, closeArray, openObject, closeObject] = Buffer.from('"\\[]{}') as unknown as number[]

/** Counts brackets outside of strings: before parsing, since what walks a value later may not be made for such depth. */
function isDeeper(json: Buffer, limit: number): boolean {
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

/** Where the string that begins at `start` ends: at a quote with an even number of backslashes before it. */
function endOfString(json: Buffer, start: number): number {
  for (let at = json.indexOf('"', start + 1); at >= 0; at = json.indexOf('"', at + 1)) {
    let before = at
    while (json[before - 1] === backslash) before -= 1
    if ((at - before) % 2 === 0) return at
  }
  return json.length
}
