import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Notices } from '@origami/host/notices'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { defaultLimits, type WebLimits } from '../src/server/config.ts'
import { Elsewhere } from '../src/server/demos/elsewhere.ts'
import { Demos } from '../src/server/store/demos.ts'
import { type Db, openStore } from '../src/server/store/open.ts'

const said = { name: 'said', label: 'Said', component: 'text', options: {}, required: true }
const schema = (title: string) => ({
  ...{ api: 1, title, description: '', inputs: [], outputs: [said], examples: [], streaming: false, concurrency: 1 },
})

let folder: string
let db: Db
let servers: Server[]
let watching: Promise<void>
const leaving = { controller: new AbortController() }
const logged: string[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-elsewhere-'))
  db = await openStore(folder)
  servers = []
  logged.length = 0
  leaving.controller = new AbortController()
  await db
    .insertInto('accounts')
    .values({ id: 'ann', handle: 'ann', name: null, avatar: null, created_at: '' })
    .execute()
})
afterEach(async () => {
  leaving.controller.abort()
  await watching
  for (const server of servers) server.close().closeAllConnections()
  await db.destroy()
  await rm(folder, { recursive: true })
})

describe('demos that run elsewhere', () => {
  test('are looked at again after the database refused a write, and one that cannot be kept keeps none from it', async () => {
    await list('bad', says('Bad'))
    await list('good', says('Good'))
    await sql`CREATE TRIGGER refuse BEFORE UPDATE ON demos WHEN NEW.id = 'bad' BEGIN SELECT RAISE(FAIL, 'the disk is full'); END`.execute(
      db,
    )
    watch()
    await vi.waitFor(async () => expect(await titleOf('good')).toBe('Good'))
    await vi.waitFor(() =>
      expect(logged).toContain('Demos that run elsewhere could not be looked after; it is tried again.'),
    )
    await sql`DROP TRIGGER refuse`.execute(db)
    await vi.waitFor(async () => expect(await titleOf('bad')).toBe('Bad'))
  })

  test('that answer one question and drip at the next are given up after a time for all of them', async () => {
    const url = await list('slow', (request, response) => {
      if (request.url === '/') return void response.end(JSON.stringify({ origami: { api: 1 } }))
      const dripping = setInterval(() => response.write(' '), 20)
      response.once('close', () => clearInterval(dripping))
    })
    const limits = { ...defaultLimits, elsewhereAnswerMs: 600_000, elsewhereLookMs: 1_000 }
    const elsewhere = new Elsewhere(new Demos(db), ['127.0.0.0/8'], limits)
    await expect(elsewhere.inspect(url)).rejects.toThrow('its answers took longer than 1 s')
  })

  test('that cannot be reached are looked at after those that can', async () => {
    const asked: string[] = []
    for (const id of ['first', 'second', 'third'])
      await list(id, (request, response) => {
        asked.push(id)
        return says(`${id} title`)(request, response)
      })
    await new Demos(db).change('first', { state: 'unreachable' })
    watch({ elsewhereAtOnce: 1 })
    await vi.waitFor(async () => expect(await titleOf('first')).toBe('first title'))
    const round = asked.filter((id, index) => asked.indexOf(id) === index)
    expect([round.length, round.at(-1)]).toEqual([3, 'first'])
  })

  test('that drip without an end hold up neither the others nor the end of the server, which says nothing of them', async () => {
    const dripping = Promise.withResolvers<void>()
    await list('drip', (_request, response) => {
      response.writeHead(200).write(' ', () => dripping.resolve())
      const more = setInterval(() => response.write(' '), 50)
      response.once('close', () => clearInterval(more))
    })
    await list('good', says('Good'))
    watch()
    await dripping.promise
    await vi.waitFor(async () => expect(await titleOf('good')).toBe('Good'))
    leaving.controller.abort()
    await watching
    const row = await db.selectFrom('demos').select('state').where('id', '=', 'drip').executeTakeFirstOrThrow()
    expect([row.state, logged]).toEqual(['elsewhere', []])
  })
})

const says =
  (title: string): RequestListener =>
  ({ url = '' }, response) => {
    const answers: Record<string, unknown> = {
      '/': { origami: { api: 1 } },
      '/health-check': { status: 'READY', setup: null, version: {} },
      '/schema': schema(title),
    }
    response.end(JSON.stringify(answers[url] ?? {}))
  }

async function list(id: string, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const row = {
    id,
    name: id,
    link: url,
    url,
    public: 1,
    private: 0,
    state: 'elsewhere',
    title: id,
    description: '',
  } as const
  await db
    .insertInto('demos')
    .values({ ...row, account: 'ann', key: id, created_at: '' })
    .execute()
  return url
}

function watch(change: Partial<WebLimits> = {}): void {
  const log = (message: string) => void logged.push(message)
  const elsewhere = new Elsewhere(new Demos(db), ['127.0.0.0/8'], { ...defaultLimits, ...change })
  watching = elsewhere.watch({ changed: new Notices<string>(), log }, leaving.controller.signal)
}

const titleOf = async (id: string) =>
  (await db.selectFrom('demos').select('title').where('id', '=', id).executeTakeFirstOrThrow()).title
