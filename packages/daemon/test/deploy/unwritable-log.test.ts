import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { deploy } from '../../src/deploy/deploy.ts'
import type { DeployParts } from '../../src/deploy/parts.ts'
import { note } from '../../src/store/deployments.ts'
import { waitingOf } from '../../src/store/waiting-deployments.ts'
import { addedDemo, demo, openInMemory, rowOf } from '../store/in-memory.ts'
import { deployParts } from './deploy-parts.ts'

let db: DeployParts['db']
beforeEach(async () => {
  db = await openInMemory()
})
afterEach(() => db.destroy())

const never = new AbortController().signal
const logs = {
  append: async () => {
    throw new Error('the disk is full')
  },
  tail: async () => {
    throw new Error('the disk is away')
  },
}

async function withImage() {
  await note(db, await addedDemo(db), { image: 'i' as never })
  const waiting = await waitingOf(db, demo)
  if (!waiting) throw new Error('nothing waits')
  return waiting
}

/** A runtime that is ready. */
async function runtime() {
  const said = { name: 'said', label: 'Said', component: 'text', options: {}, required: true }
  const schema = { api: 1, title: 'x', description: '', inputs: [], outputs: [said], examples: [], concurrency: 1 }
  const answers: Record<string, object> = {
    '/': { origami: { api: 1 } },
    '/health-check': { status: 'READY', setup: null, version: {} },
    '/schema': { ...schema, streaming: false },
  }
  const server = createServer((request, response) => response.end(JSON.stringify(answers[request.url ?? ''])))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { endpoint, [Symbol.dispose]: () => void server.close() }
}

test('a deployment goes live and stays so though no line of its log can be written', async () => {
  using running = await runtime()
  const row = await withImage()
  const instance = { id: 'one', demo: row.demo_id, deployment: row.id, state: 'running', endpoint: running.endpoint }
  const ended: string[] = []
  const engine = {
    instancesOf: async () => [],
    start: async () => instance,
    async *watch(_id: string, over: AbortSignal) {
      yield instance
      await once(over, 'abort')
    },
    stop: async (id: string) => ended.push(id),
    remove: async (id: string) => ended.push(id),
  }
  await deploy(deployParts(db, { engine, logs, pumps: { start: () => {} } }), row, never, () => {})
  expect([ended, await rowOf(db, row.id)]).toMatchObject([
    [],
    { state: 'running', instance: { reached: { endpoint: running.endpoint } } },
  ])
})

test('a deployment that fails is stored as failed though its log can be neither written nor read', async () => {
  const row = await withImage()
  const instancesOf = async () => {
    throw new Error('the engine restarts')
  }
  await deploy(deployParts(db, { engine: { instancesOf, removeImage: async () => true }, logs }), row, never, () => {})
  expect(await rowOf(db, row.id)).toMatchObject({
    state: 'start_failed',
    reason: expect.stringContaining('the engine restarts'),
    log_tail: [],
  })
})
