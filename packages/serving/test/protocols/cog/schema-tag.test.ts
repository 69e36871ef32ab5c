import type { DemoSchema } from '@origami/protocol/demo'
import Fastify from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FolderFiles, type Predictor, predictionsApi } from '../../../src/index.ts'

const app = Fastify()
let url: string
let title = 'First'

/** A demo that nobody calls: it says what it takes. */
const demo: Predictor = {
  schema: async () => ({ ...schema, title }),
  health: async () => ({ status: 'READY', setup: null, version: {} }),
  submit: () => Promise.reject(new Error('expected no prediction')),
  find: async () => undefined,
  files: new FolderFiles('/nowhere', { maxFileBytes: () => 0 }),
}
const schema: DemoSchema = {
  api: 1,
  title,
  description: '',
  inputs: [],
  outputs: [{ name: 'said', label: 'said', component: 'text', options: {}, required: true }],
  examples: [],
  streaming: false,
  concurrency: 1,
}

beforeAll(async () => {
  await app.register(predictionsApi, { predictor: async () => demo, maxFileBytes: () => 0, remoteFiles: false })
  url = await app.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(() => app.close())

test('a page that looks at a schema again and again is sent it once, and again when it changed', async () => {
  const ask = (etag = '') => fetch(`${url}/schema`, { headers: { 'if-none-match': etag }, cache: 'no-store' })
  const first = await ask()
  const etag = first.headers.get('etag') ?? ''
  expect([first.status, first.headers.get('content-type'), await first.json()]).toEqual([
    200,
    expect.stringContaining('application/json'),
    { ...schema, title: 'First' },
  ])
  for (const same of [etag, `W/${etag}`, `"another", ${etag}`]) {
    const repeated = await ask(same)
    expect([same, repeated.status, await repeated.text()]).toEqual([same, 304, ''])
  }
  title = 'Saved again'
  const changed = await ask(etag)
  expect([changed.status, await changed.json()]).toEqual([200, { ...schema, title: 'Saved again' }])
})
