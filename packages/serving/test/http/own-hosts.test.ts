import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { refuseForeignHosts, refuseOtherSites } from '../../src/index.ts'

const server = () => {
  const app = Fastify()
  refuseForeignHosts(app, { names: () => ['demos.example.org'], setting: 'allowed_hosts' })
  refuseOtherSites(app)
  app.all('/', async () => 'here')
  return app
}

test.each([
  'demos.example.org',
  'DEMOS.example.org:8000',
  '127.0.0.1:8000',
  '[::1]:8000',
  'localhost',
  'a.localhost:80',
])('who calls it %s is answered', async (host) =>
  expect((await server().inject({ url: '/', headers: { host } })).statusCode).toBe(200),
)

test.each(['evil.example', 'demos.example.org.evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:8000'])(
  'who calls it %s is refused, and told which setting lists names',
  async (host) => {
    const answer = await server().inject({ url: '/', headers: { host } })
    expect([answer.statusCode, answer.json()]).toEqual([
      403,
      {
        error: `expected a host that this server is known by, got ${host.replace(/:\d+$/, '')}; whoever runs it lists it in allowed_hosts`,
      },
    ])
  },
)

test.each([
  ['a page of another site', { origin: 'https://evil.example' }, 403],
  ['a page of another port', { origin: 'http://127.0.0.1:1' }, 403],
  ['a page without an origin', { origin: 'null' }, 403],
  ['a form of another site', { 'sec-fetch-site': 'cross-site' }, 403],
  ['its own page', { origin: 'http://127.0.0.1:8000', 'sec-fetch-site': 'same-origin' }, 200],
  ['a program', {}, 200],
])('what %s posts is answered as it should be; all may read', async (_who, sent, status) => {
  const headers = { host: '127.0.0.1:8000', ...sent }
  expect((await server().inject({ method: 'POST', url: '/', headers })).statusCode).toBe(status)
  expect((await server().inject({ url: '/', headers })).statusCode).toBe(200)
})
