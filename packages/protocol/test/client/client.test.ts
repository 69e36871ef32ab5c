import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type Client, endpointClient, Refusal } from '../../src/client/index.ts'
import type { Endpoints } from '../../src/control/endpoint.ts'

const _table = {
  'PUT /notes/:name': {
    id: 'putNote',
    tag: 'Notes',
    summary: 'Keeps a note',
    params: z.object({ name: z.string() }),
    query: z.object({ pinned: z.string().optional() }),
    body: z.object({ text: z.string() }),
    answers: {
      200: { what: 'As it was sent', body: z.object({ line: z.string(), type: z.string(), text: z.string() }) },
    },
  },
  'GET /refused': {
    id: 'refused',
    tag: 'Notes',
    summary: 'Says no',
    answers: { 200: { what: 'Never', body: z.object({}) } },
  },
} as const satisfies Endpoints
type Notes = typeof _table

describe('a client of a table', () => {
  let server: Server
  let notes: Client<Notes>
  beforeAll(async () => {
    server = createServer(async (request, response) => {
      if (request.url === '/refused')
        return response
          .writeHead(429, { 'retry-after': '7' })
          .end(JSON.stringify({ error: 'Too many.', reason: 'slow_down', authorize: '/-/sign-in/x' }))
      let text = ''
      for await (const part of request) text += part
      const line = `${request.method} ${request.url}`
      response.end(JSON.stringify({ line, type: request.headers['content-type'], ...JSON.parse(text) }))
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    const { port } = server.address() as AddressInfo
    notes = endpointClient(({ path, ...request }) => fetch(`http://127.0.0.1:${port}${path}`, request))
  })
  afterAll(() => new Promise((closed) => server.close(closed)))

  it('sends each part where its endpoint has it, and reads the JSON', async () => {
    const sent = { params: { name: 'a/b' }, query: { pinned: 'yes' }, body: { text: 'Hello' } }
    expect(await notes.call('PUT /notes/:name', sent)).toEqual({
      line: 'PUT /notes/a%2Fb?pinned=yes',
      type: 'application/json',
      text: 'Hello',
    })
  })

  it('throws what the server refused, with all that it said', async () => {
    const refused = await notes.call('GET /refused', {}).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(Refusal)
    const said = {
      serverMessage: 'Too many.',
      reason: 'slow_down',
      authorize: '/-/sign-in/x',
      retryAfterSeconds: 7,
      problems: [],
    }
    expect(refused).toMatchObject({ status: 429, message: 'Too many.', ...said })
  })

  it('takes 2xx alone for an answer', async () => {
    const statusOf = (status: number) =>
      endpointClient<Notes>(async () => new Response(null, { status })).send('GET /refused', {})
    for (const status of [200, 204, 299]) expect(await statusOf(status)).toMatchObject({ status })
    for (const status of [300, 304, 400, 599]) await expect(statusOf(status)).rejects.toMatchObject({ status })
  })
})
