import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { ForgeError } from '../../src/server/forges/forge.ts'
import { GithubApi } from '../../src/server/forges/github-api.ts'

describe('what a GitHub answers', () => {
  test.each<[string, RequestListener]>([
    ['never comes', () => {}],
    [
      'never ends',
      (_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('['),
    ],
    [
      'is larger than the cap',
      (_request, response) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(`"${'x'.repeat(2000)}"`),
    ],
    [
      'is no user',
      (_request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"root"}'),
    ],
  ])('that %s is an error in words', async (_what, listener) => {
    await using server = await startServer(listener)
    const limits = { forgeAnswerMs: 300, forgeAnswerBytes: 1000, repositories: 10 }
    const api = new GithubApi({ host: 'forge.test', api: server.url, token: 'token', limits })
    await expect(api.user()).rejects.toBeInstanceOf(ForgeError)
  })
})

async function startServer(listener: RequestListener) {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
