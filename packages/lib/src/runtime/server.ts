import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import fastifyStatic from '@fastify/static'
import { serverUrl } from '@origami/host/server-url'
import {
  acceptLinks,
  apiIndex,
  FolderFiles,
  limitJson,
  linkable,
  predictionsApi,
  prefersHtml,
  refuseEarly,
  refuseForeignHosts,
  refuseOtherSites,
  sendError,
  unroutable,
} from '@origami/serving'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { defaultSettings } from '../env.ts'
import { launchOf } from './pool/launch.ts'
import { type ModelOptions, ModelPredictor } from './pool/model-predictor.ts'
import { defaultMaxBytes } from './pool/run-store.ts'

export interface RuntimeOptions extends Pick<ModelOptions, 'cancelGraceMs' | 'keep' | 'backOffMs' | 'manifest'> {
  /** Path of model.py or model.ts. */
  readonly model: string
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** The demo's name when neither `.origami` nor the model sets one: the repository's. */
  readonly name?: string | undefined
  /** The Python that runs a Python model. */
  readonly python?: string | undefined
  /** The folder of the built page. Without it browsers get the API's index. */
  readonly page?: string | undefined
  /** The largest JSON body in bytes. The default is 32 MiB. */
  readonly bodyBytes?: number | undefined
  /** The largest file in bytes that is received or sent. The default is 100 MiB. */
  readonly fileBytes?: number | undefined
  /** The folder for files. The default is a temporary folder that is removed at the end. */
  readonly files?: string | undefined
  /**
   * Names under which browsers call it, besides addresses and `localhost`. Then it also refuses what pages of other
   * sites ask for. Without it nothing of that is refused, as behind a server that does so.
   */
  readonly allowedHosts?: readonly string[] | undefined
  /** A folder with more inputs, which is only read: whoever puts them there removes them as well. */
  readonly inputs?: string | undefined
}

export interface Runtime extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly predictor: ModelPredictor
}

const maxFileBytes = ({ fileBytes = defaultSettings.fileBytes }: RuntimeOptions) => fileBytes
const policy = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "style-src 'self' 'unsafe-inline'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  'frame-ancestors *',
].join('; ')

/**
 * Serves one model over HTTP: its page and its API. It listens at once, and `/health-check` says when the model is
 * ready.
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  await using opened = new AsyncDisposableStack()
  const folder = options.files ?? (await mkdtemp(join(tmpdir(), 'origami-files-')))
  if (options.files === undefined) opened.defer(() => rm(folder, { recursive: true, force: true }))
  await mkdir(folder, { recursive: true })
  const app: FastifyInstance = Fastify({
    ...unroutable,
    http: { ...unroutable.http, ...linkable },
    forceCloseConnections: true,
    logger: { level: 'warn' },
  })
  opened.defer(() => app.close())
  refuseEarly(app)
  refuseStrangers(app, options.allowedHosts)
  app.setErrorHandler(sendError)
  app.setNotFoundHandler((_request, reply) => reply.status(404).send({ error: 'There is nothing here.' }))
  // It is disposed before the connections end, so that those who follow a prediction are told that it was interrupted.
  const predictor = opened.use(await predictorOf(options, folder))
  const bodyBytes = () => options.bodyBytes ?? defaultSettings.bodyBytes
  limitJson(app, { bytes: bodyBytes })
  const serving = {
    predictor: async () => predictor,
    maxFileBytes: () => maxFileBytes(options),
    remoteFiles: true,
  }
  acceptLinks(app, { ...serving, maxBytes: bodyBytes, callerQueues: true })
  await app.register(predictionsApi, { ...serving, publicBase: requestOrigin })
  await registerPage(app, options.page)
  await app.listen({ host: options.host, port: options.port })
  const { port } = app.server.address() as AddressInfo
  const open = opened.move()
  return {
    url: serverUrl('http', options.host, port),
    port,
    predictor,
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

function refuseStrangers(app: FastifyInstance, hosts: readonly string[] | undefined): void {
  if (!hosts) return
  refuseForeignHosts(app, { names: () => hosts, setting: '--allowed-host' })
  refuseOtherSites(app)
}

async function predictorOf(options: RuntimeOptions, folder: string): Promise<ModelPredictor> {
  const predictor = new ModelPredictor({
    ...options,
    files: new FolderFiles(folder, { maxFileBytes: () => maxFileBytes(options) }),
    inputs: options.inputs ? new FolderFiles(options.inputs, { maxFileBytes: () => 0 }) : undefined,
    keep: { maxBytes: await defaultMaxBytes(folder), ...options.keep },
    name: { configured: options.name, folder: folderName(options.model) },
    launch: () => launchOf(options.model, { python: options.python }),
  })
  await predictor.files.countFolder(folder)
  return predictor
}

/** In a container all demos are in the same folder, so its name says nothing. */
function folderName(model: string): string {
  const folder = dirname(resolve(model))
  return folder === '/demo' ? '' : basename(folder)
}

async function registerPage(app: FastifyInstance, page: string | undefined): Promise<void> {
  const built = page !== undefined && existsSync(join(page, 'index.html'))
  if (built)
    await app.register(fastifyStatic, { root: page, index: false, wildcard: true, immutable: true, maxAge: '1y' })
  app.get('/', async (request, reply) => {
    if (!built || !prefersHtml(request)) return apiIndex
    return reply
      .headers({ 'content-security-policy': policy, 'x-content-type-options': 'nosniff', 'cache-control': 'no-cache' })
      .sendFile('index.html', { immutable: false, maxAge: 0, cacheControl: false })
  })
}

/** Callers get the full URLs of files, at the host name that they called. */
const requestOrigin = (request: FastifyRequest): string => `${request.protocol}://${request.host}`
