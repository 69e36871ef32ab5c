import type { DemoSchema, Health, Input, PredictionSnapshot } from '@origami/protocol/demo'
import { type FollowEvent, follow } from './follow.ts'
import { refusal } from './refused.ts'

/**
 * A demo's predictions API, called from a page. Every call throws Refused when the server says no, TypeError when it is
 * not there.
 */
export interface DemoClient {
  /** Address of the API without a slash at its end: `/ann/digits`, or empty at the root of a host. */
  readonly base: string
  /** What the API takes now. `etag` of an earlier answer: undefined when nothing changed since. */
  schema(etag?: string | null): Promise<{ schema: DemoSchema; etag: string | null } | undefined>
  health(): Promise<Health>
  /** Answers as soon as the prediction is stored. It goes on when the page is closed. */
  submit(input: Input): Promise<PredictionSnapshot>
  /** Undefined: there is none of this id (any more). */
  snapshot(id: string): Promise<PredictionSnapshot | undefined>
  /**
   * All that happened to a prediction, then all that happens. Ends by itself after `completed` or `gone`; call the
   * answer to end it before.
   */
  follow(id: string, on: (event: FollowEvent) => void): () => void
  /** False: it had ended before. */
  cancel(id: string): Promise<boolean>
  /** Sends a file; what comes back goes into an input. `onProgress`: 0 to 1. */
  upload(file: Blob, name: string, onProgress?: (part: number) => void): Promise<string>
  /** Where a page finds the file behind a value. */
  address(ref: string): string
}

/** Calls the predictions API under `base`. */
export function client(base: string): DemoClient {
  const root = base.replace(/\/+$/, '')
  const at = (path: string) => `${root}/${path}`
  const prediction = (id: string) => at(`predictions/${encodeURIComponent(id)}`)
  const json = { accept: 'application/json' }

  const demo: DemoClient = {
    base: root,
    async schema(etag) {
      const headers = etag ? { ...json, 'if-none-match': etag } : json
      const response = await fetch(at('schema'), { headers, cache: 'no-store' })
      if (response.status === 304) return undefined
      return { schema: (await body(response)) as DemoSchema, etag: response.headers.get('etag') }
    },
    async health() {
      return (await body(await fetch(at('health-check'), { headers: json, cache: 'no-store' }))) as Health
    },
    async submit(input) {
      const headers = { ...json, 'content-type': 'application/json', prefer: 'respond-async' }
      const response = await fetch(at('predictions'), { method: 'POST', headers, body: JSON.stringify({ input }) })
      return (await body(response)) as PredictionSnapshot
    },
    async snapshot(id) {
      const response = await fetch(prediction(id), { headers: json, cache: 'no-store' })
      return response.status === 404 ? undefined : ((await body(response)) as PredictionSnapshot)
    },
    follow: (id, on) => follow(`${prediction(id)}/events`, () => demo.snapshot(id), on),
    async cancel(id) {
      const response = await fetch(`${prediction(id)}/cancel`, { method: 'POST', headers: json })
      if (response.status === 404) return false
      await body(response)
      return true
    },
    upload: (file, name, onProgress) => send(at(`files/${randomHex()}/${encodeURIComponent(name)}`), file, onProgress),
    address: (ref) => (/^(https?:|data:|blob:|\/)/.test(ref) ? ref : at(ref)),
  }
  return demo
}

async function body(response: Response): Promise<unknown> {
  if (!response.ok) throw refusal(response.status, await response.text(), response.headers.get('retry-after'))
  return response.json()
}

/** XMLHttpRequest, since fetch cannot tell how much of a body has gone. */
function send(url: string, file: Blob, onProgress?: (part: number) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('PUT', url)
    request.setRequestHeader('content-type', file.type || 'application/octet-stream')
    request.upload.onprogress = (event) => onProgress?.(event.total > 0 ? event.loaded / event.total : 0)
    request.onerror = () => reject(new TypeError('the server did not answer'))
    request.onload = () => {
      if (request.status >= 400)
        reject(refusal(request.status, request.responseText, request.getResponseHeader('retry-after')))
      else resolve((JSON.parse(request.responseText) as { ref: string }).ref)
    }
    request.send(file)
  })
}

function randomHex(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
