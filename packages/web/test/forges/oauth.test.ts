import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { CodeRefused, ForgeError } from '../../src/server/forges/forge.ts'
import { authorizeUrl, exchangeCode } from '../../src/server/forges/oauth.ts'

const app = { clientId: 'the id', clientSecret: 'the secret' }
const limits = { forgeAnswerMs: 10_000, forgeAnswerBytes: 1000, repositories: 10 }
const returned = { code: 'the code', verifier: 'the verifier', redirect: 'https://origami.test/-/callback/forge.test' }

const json = (status: number, body: unknown) => (response: ServerResponse) =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

describe('a code', () => {
  test('is exchanged by a form, with the secret of the app and the proof of the browser', async () => {
    let [type, form]: (string | undefined)[] = []
    await using forge = await startServer(async (request, response) => {
      type = request.headers['content-type']
      form = await text(request)
      json(200, { access_token: 'a token', scope: 'read write', token_type: 'bearer' })(response)
    })
    expect(await forge.exchange()).toEqual({ token: 'a token', scope: 'read write' })
    expect(type).toMatch(/^application\/x-www-form-urlencoded/i)
    expect(Object.fromEntries(new URLSearchParams(form))).toEqual({
      grant_type: 'authorization_code',
      client_id: 'the id',
      client_secret: 'the secret',
      code: 'the code',
      redirect_uri: returned.redirect,
      code_verifier: 'the verifier',
    })
  })

  test.each([
    [
      'with status 200, as GitHub does',
      200,
      { error: 'bad_verification_code', error_description: 'It expired.' },
      'It expired.',
    ],
    ['with status 400, as RFC 6749 says', 400, { error: 'invalid_grant' }, 'invalid_grant'],
    ['without a reason', 200, {}, 'it gave no token'],
  ])('that is refused %s is refused in words', async (_how, status, body, message) => {
    await using forge = await startServer((_request, response) => json(status, body)(response))
    const refusal = forge.exchange()
    await expect(refusal).rejects.toBeInstanceOf(CodeRefused)
    await expect(refusal).rejects.toThrow(`forge.test refused the sign-in: ${message}`)
  })

  test.each<[string, (response: ServerResponse) => void, number?]>([
    ['never comes', () => {}, 300],
    ['is a page', (response) => void response.writeHead(502).end('<h1>Bad gateway</h1>')],
    ['has a token that is none', json(200, { access_token: 7 })],
    ['has a token without an end', json(200, { access_token: 'x'.repeat(2000) })],
    ['is no object', json(200, ['access_token'])],
  ])('whose answer %s is an error in words, without the secret', async (_what, answer, withinMs) => {
    await using forge = await startServer((_request, response) => answer(response))
    const failure: unknown = await forge.exchange(withinMs).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ForgeError)
    expect(failure).toMatchObject({ message: 'forge.test could not be asked; try again later.', signedOut: false })
    expect(JSON.stringify(failure)).not.toContain(app.clientSecret)
  })
})

test('the page of a forge keeps the query that its address has', () => {
  const asked = { state: 's', redirect: returned.redirect, challenge: 'c', privateRepositories: false }
  const url = new URL(authorizeUrl(new URL('https://forge.test/authorize?tenant=lab'), app, 'a b', asked))
  expect(Object.fromEntries(url.searchParams)).toEqual({
    tenant: 'lab',
    response_type: 'code',
    client_id: 'the id',
    redirect_uri: returned.redirect,
    state: 's',
    scope: 'a b',
    code_challenge: 'c',
    code_challenge_method: 'S256',
  })
})

async function startServer(listener: RequestListener) {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/token`)
  return {
    exchange: (forgeAnswerMs = limits.forgeAnswerMs) =>
      exchangeCode('forge.test', endpoint, app, returned, { ...limits, forgeAnswerMs }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
