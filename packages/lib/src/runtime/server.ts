import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { Manifest } from '@origami/protocol/demo'
import { apiIndex, FolderFiles, limitJson, predictionsApi, prefersHtml } from '@origami/serving'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { launchOf } from './model/launch.ts'
import { type ModelOptions, ModelPredictor } from './model/model-predictor.ts'

export interface RuntimeOptions extends Pick<ModelOptions, 'cancelGraceMs' | 'keepMs'> {
  /** Path of model.py or model.ts. */
  readonly model: string
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly manifest?: Partial<Manifest>
  /** The Python that runs a Python model. */
  readonly python?: string | undefined
  /** The built page; without it browsers get the index. */
  readonly page?: string | undefined
  /** Bytes of one JSON body; 32 MiB when not given. */
  readonly bodyBytes?: number
  /** Where files are kept; a temporary folder, removed at the end, when not given. */
  readonly files?: string | undefined
}

export interface Runtime extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly predictor: ModelPredictor
}

const maxFileBytes = 100 * 1024 ** 2
const policy =
  "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; style-src 'self' 'unsafe-inline'; frame-ancestors *"

/** One model behind HTTP: its page and its API. Listens at once; `/health-check` says when the model is ready. */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const kept = options.files ?? (await mkdtemp(join(tmpdir(), 'origami-files-')))
  const files = new FolderFiles(kept, { maxFileBytes: () => maxFileBytes })
  const predictor = new ModelPredictor({ ...options, files, launch: () => launchOf(options.model, { python: options.python }) })
  const app: FastifyInstance = Fastify({ forceCloseConnections: true, logger: { level: 'warn' } })
  limitJson(app, { bytes: () => options.bodyBytes ?? 32 * 1024 ** 2 })
  await app.register(predictionsApi, {
    predictor: async () => predictor,
    publicBase: origin,
    maxFileBytes: () => maxFileBytes,
    remoteFiles: true,
  })
  await registerPage(app, options.page)
  try {
    await app.listen({ host: options.host, port: options.port })
  } catch (error) {
    await predictor[Symbol.asyncDispose]()
    throw error
  }
  const { port } = app.server.address() as AddressInfo
  return {
    url: `http://${options.host}:${port}`,
    port,
    predictor,
    async [Symbol.asyncDispose]() {
      await app.close()
      await predictor[Symbol.asyncDispose]()
      if (options.files === undefined) await rm(kept, { recursive: true, force: true })
    },
  }
}

async function registerPage(app: FastifyInstance, page: string | undefined): Promise<void> {
  const built = page !== undefined && existsSync(join(page, 'index.html'))
  if (built) await app.register(fastifyStatic, { root: page, index: false, wildcard: true, immutable: true, maxAge: '1y' })
  app.get('/', async (request, reply) => {
    if (!built || !prefersHtml(request)) return apiIndex
    return reply
      .headers({ 'content-security-policy': policy, 'x-content-type-options': 'nosniff', 'cache-control': 'no-cache' })
      .sendFile('index.html', { immutable: false, maxAge: 0, cacheControl: false })
  })
}

/** Callers get whole addresses of files, at the name they called. */
const origin = (request: FastifyRequest): string => `${request.protocol}://${request.host}`
