import { Readable } from 'node:stream'
import { fileRef, Invalid } from '@origami/protocol/demo'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { fileAddress } from '../../files/addresses.ts'
import { fileTooLarge } from '../../files/folder-files.ts'
import { inPieces } from '../../files/in-pieces.ts'
import { BodyRefused } from '../../http/limit-json.ts'
import type { Files, OpenFile } from '../../predictor.ts'

interface FileRouteOptions {
  files(request: FastifyRequest): Promise<Files>
  base(request: FastifyRequest): string
  /** The largest file in bytes. Called for each file. */
  maxFileBytes(): number
  /** The longest time without more of a file from its sender. */
  idleMs(): number
  /** The longest time for a whole file. */
  totalMs(): number
}

/**
 * The parameters have names that no prefix (`/:account/:name`) has, because Fastify keeps only the last of two with the
 * same name.
 */
interface FileParams {
  file_id: string
  file_name: string
}

/** Uploads and downloads of files. A download never runs as a page of ours. */
export async function fileRoutes(
  app: FastifyInstance,
  { files, base, maxFileBytes, idleMs, totalMs }: FileRouteOptions,
): Promise<void> {
  await app.register(async (uploads) => {
    uploads.removeAllContentTypeParsers()
    uploads.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    uploads.put<{ Params: FileParams }>('/files/:file_id/:file_name', async (request, reply) => {
      const { file_id: id, file_name: name } = request.params
      const ref = checkedRef(id, name)
      const [limit, announced] = [maxFileBytes(), Number(request.headers['content-length'] ?? 0)]
      if (announced > limit) throw fileTooLarge(limit, announced)
      const store = await files(request)
      const bytes = arriving((request.body as Readable | null) ?? Readable.from([]), idleMs(), totalMs())
      await store.put(id, name, request.headers['content-type'], bytes, undefined, announced)
      const { type, size } = (await store.open(ref)) ?? {}
      return reply.status(201).send({ ref: fileAddress(base(request), ref), name, type, size })
    })
  })

  /**
   * GET and HEAD are both defined here, because the HEAD that Fastify derives from a GET reports a length of 0 without
   * a body.
   */
  app.route<{ Params: FileParams }>({
    method: ['GET', 'HEAD'],
    url: '/files/:file_id/:file_name',
    async handler(request, reply) {
      const { file_id: id, file_name: name } = request.params
      const file = await (await files(request)).open(checkedRef(id, name))
      if (!file) return reply.status(404).send({ error: 'There is no such file (any more).' })
      return sendFile(request, reply, file)
    },
  })
}

/** Yields the bytes of an upload. Throws BodyRefused when its sender pauses for too long, or takes too long in all. */
async function* arriving(payload: Readable, idleMs: number, totalMs: number): AsyncIterable<Uint8Array> {
  const late = (what: string, ms: number) => new BodyRefused(408, `expected ${what} of the file within ${ms / 1000} s`)
  const end = performance.now() + totalMs
  for await (const part of inPieces(payload, { idleMs, error: () => late('more', idleMs) })) {
    if (performance.now() > end) throw late('all', totalMs)
    yield part
  }
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: OpenFile): FastifyReply {
  const inline = /^(image\/(png|jpeg|gif|webp|avif|bmp)|audio\/.+|video\/.+)$/.test(file.type)
  reply.headers({
    'content-type': file.type,
    'x-content-type-options': 'nosniff',
    'content-security-policy': "sandbox; default-src 'none'",
    'content-disposition': `${inline ? 'inline' : 'attachment'}; filename*=UTF-8''${encodeURIComponent(file.name)}`,
    'cache-control': 'private, max-age=86400, immutable',
    'accept-ranges': 'bytes',
  })
  const range = byteRange(request.headers.range, file.size)
  if (range === 'unsatisfiable')
    return reply
      .status(416)
      .removeHeader('content-disposition')
      .removeHeader('cache-control')
      .headers({ 'content-type': 'application/json; charset=utf-8', 'content-range': `bytes */${file.size}` })
      .send({ error: `expected a range within its ${file.size} bytes, got ${request.headers.range}` })
  const [start, end] = range ?? [0, file.size]
  if (range) reply.status(206).header('content-range', `bytes ${start}-${end - 1}/${file.size}`)
  reply.header('content-length', end - start)
  return reply.send(request.method === 'HEAD' ? undefined : asStream(file.bytes(start, end)))
}

const asStream = (bytes: AsyncIterable<Uint8Array>): Readable =>
  bytes instanceof Readable ? bytes : Readable.from(bytes)

/** Parses one range of RFC 9110, 14.1.2, as [start, before). Several ranges, or an invalid one, mean the whole file. */
function byteRange(header: string | undefined, size: number): [number, number] | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  const [, first = '', last = ''] = match
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1)
  return start >= end ? 'unsatisfiable' : [start, end]
}

function checkedRef(id: string, name: string) {
  try {
    return fileRef(id, name)
  } catch (error) {
    throw new Invalid([{ type: 'value_error', message: error instanceof Error ? error.message : String(error) }])
  }
}
