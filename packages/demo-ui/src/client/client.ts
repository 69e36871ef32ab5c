import { type Client, endpointClient, parsedAnswer, Refusal, refusalOf } from '@origami/protocol/client'
import type { DemoSchema, Health, Input, PredictionSnapshot } from '@origami/protocol/demo'
import { requestLine } from '@origami/protocol/endpoint'
import type { PredictionApi } from '@origami/protocol/predictions'
import { type FollowEvent, followPrediction } from './follow.ts'

/**
 * A demo's predictions API, called from a page. Every call throws Refusal when the server refuses, TypeError when it
 * cannot be reached.
 */
export interface DemoClient {
  /** The address of the API without a trailing slash: `/ann/digits`, or empty at the root of a host. */
  readonly base: string
  /** The present schema. With the `etag` of an earlier answer it is undefined when nothing has changed. */
  schema(etag?: string | null): Promise<{ schema: DemoSchema; etag: string | null } | undefined>
  health(): Promise<Health>
  /** Resolves as soon as the prediction is stored. It goes on when the page is closed. */
  submit(input: Input): Promise<PredictionSnapshot>
  /** Undefined: there is no prediction of this id, or not any more. */
  snapshot(id: string): Promise<PredictionSnapshot | undefined>
  /**
   * Reports all events of a prediction so far, and then new ones. It ends by itself after `completed` or `gone`. Call
   * the returned function to end it earlier.
   */
  follow(id: string, on: (event: FollowEvent) => void): () => void
  /** Cancels a prediction. False: it had ended before. */
  cancel(id: string): Promise<boolean>
  /** Sends a file and returns the value for an input. `onProgress` gets a number from 0 to 1. */
  upload(file: Blob, name: string, onProgress?: (part: number) => void): Promise<string>
  /** The address of the file behind a value. */
  address(ref: string): string
}

/** Makes a client of the predictions API under `base`. */
export function demoClient(base: string): DemoClient {
  const root = base.replace(/\/+$/, '')
  const { call, send }: Client<PredictionApi> = endpointClient(
    ({ path, ...request }) => fetch(root + path, { ...request, cache: 'no-store' }),
    fallbackMessage,
  )
  const demo: DemoClient = {
    base: root,
    async schema(etag) {
      const headers = etag ? { 'if-none-match': etag } : {}
      const response = await send('GET /schema', {}, { headers }).catch(unless(304))
      return response && { schema: await parsedAnswer<DemoSchema>(response), etag: response.headers.get('etag') }
    },
    health: () => call('GET /health-check', {}),
    submit: (input) => call('POST /predictions', { body: { input } }, { headers: { prefer: 'respond-async' } }),
    snapshot: (id) => call('GET /predictions/:id', { params: { id } }).catch(unless(404)),
    follow: (id, on) =>
      followPrediction(
        root + requestLine('GET /predictions/:id/events', { params: { id } }).path,
        () => demo.snapshot(id),
        on,
      ),
    cancel: async (id) =>
      (await call('POST /predictions/:id/cancel', { params: { id } }).catch(unless(404))) !== undefined,
    upload(file, name, onProgress) {
      const params = { file_id: randomHex(), file_name: name }
      return sendFile(root + requestLine('PUT /files/:file_id/:file_name', { params }).path, file, onProgress)
    },
    address: (ref) => (/^(https?:|data:|blob:|\/)/.test(ref) ? ref : `${root}/${ref}`),
  }
  return demo
}

/** Turns a refusal with this status into undefined. */
const unless =
  (status: number) =>
  (error: unknown): undefined => {
    if (!(error instanceof Refusal && error.status === status)) throw error
  }

/** The page's message for a refusal that came without one. */
function fallbackMessage(status: number): string {
  if (status === 404) return 'There is no demo at this address any more.'
  if (status === 413) return 'This is more than the demo takes.'
  if (status === 429) return 'Too many wait already.'
  if (status >= 500) return 'The demo cannot be reached just now.'
  return `The server answered ${status}.`
}

/** Uses XMLHttpRequest, because fetch does not report the progress of an upload. */
function sendFile(url: string, file: Blob, onProgress?: (part: number) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('PUT', url)
    request.setRequestHeader('content-type', file.type || 'application/octet-stream')
    request.upload.onprogress = (event) => onProgress?.(event.total > 0 ? event.loaded / event.total : 0)
    request.onerror = () => reject(new TypeError('the server did not answer'))
    request.onload = () => {
      if (request.status >= 400)
        reject(
          refusalOf(request.status, request.responseText, request.getResponseHeader('retry-after'), fallbackMessage),
        )
      else resolve((JSON.parse(request.responseText) as { ref: string }).ref)
    }
    request.send(file)
  })
}

function randomHex(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
