import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Notices } from '@origami/host/notices'
import { Slices } from '@origami/host/slices'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ensureCertificates } from '../src/server/certificates/certificates.ts'
import { defaultLimits } from '../src/server/config.ts'
import { DaemonClient } from '../src/server/daemon-client.ts'
import { FollowDaemon } from '../src/server/demos/follow-daemon.ts'
import { LatestDetails } from '../src/server/demos/latest-details.ts'
import { Demos } from '../src/server/store/demos.ts'
import { type Db, openStore } from '../src/server/store/open.ts'
import { setting } from '../src/server/store/settings.ts'

let folder: string
let db: Db
let server: Server
let daemon: DaemonClient
/** The event number of each request for events. */
let asked: string[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-follow-'))
  await ensureCertificates(folder)
  const tls = (file: string) => join(folder, 'daemon/tls', file)
  asked = []
  server = createServer(
    { cert: await readFile(tls('cert.pem')), key: await readFile(tls('key.pem')) },
    ({ url = '' }, response) => {
      if (url.startsWith('/events'))
        return events(response, Number(asked.push(url) && new URL(url, 'https://d').searchParams.get('after')))
      if (url === '/stats/fails') return response.writeHead(500).end('{"error":"broken"}')
      if (url === '/stats/words') return response.end('no JSON')
      if (url === '/stats/odd') return response.end('{"demo_id":7}')
      return response.writeHead(404).end('{"error":"nothing"}')
    },
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  db = await openStore(folder)
  const pem = (file: string) => join(folder, 'web/tls', file)
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  daemon = await DaemonClient.open(
    { url, tls: { ca: pem('ca.pem'), cert: pem('cert.pem'), key: pem('key.pem') } },
    defaultLimits,
  )
})
afterEach(async () => {
  await daemon[Symbol.asyncDispose]()
  server.close().closeAllConnections()
  await db.destroy()
  await rm(folder, { recursive: true })
})

test('a demo of which the daemon says nothing that can be read keeps no other from being followed', async () => {
  await db
    .insertInto('accounts')
    .values({ id: 'ann', handle: 'ann', name: null, avatar: null, created_at: '' })
    .execute()
  const row = {
    id: 'fails',
    name: 'fails',
    link: 'fails',
    url: null,
    public: 1,
    private: 0,
    state: 'undeployed',
    title: '',
  } as const
  await db
    .insertInto('demos')
    .values({ ...row, description: '', account: 'ann', key: '', created_at: '' })
    .execute()
  const leaving = new AbortController()
  const logged: string[] = []
  const log = (message: string) => void logged.push(message)
  const demos = new Demos(db)
  const parts = {
    db,
    daemon,
    demos,
    details: new LatestDetails(daemon, defaultLimits),
    limits: defaultLimits,
    changed: new Notices<string>(),
    slices: new Slices(),
    log,
  }
  const following = new FollowDaemon(parts).work(leaving.signal)
  try {
    await vi.waitFor(async () => expect(await setting(db, 'events')).toBe('4'))
    expect(asked).toEqual(['/events?after=0'])
    for (const demo of ['fails', 'words', 'odd'])
      expect(logged).toContain(`What the daemon says of demo ${demo} could not be kept.`)
  } finally {
    leaving.abort()
    await following
  }
})

function events(response: ServerResponse, after: number): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
  const all = ['fails', 'words', 'odd', 'gone'].map((demo, index) => ({ seq: index + 1, demo }))
  for (const event of all.slice(after)) {
    const rest = { deployment: null, from: null, to: 'running', reason: null, at: new Date().toISOString() }
    response.write(`data: ${JSON.stringify({ ...event, ...rest })}\n\n`)
  }
}
