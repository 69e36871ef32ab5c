import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FakeGithub, startFakeGithub } from './fake-github/fake-github.ts'

const callback = 'http://127.0.0.1:8000/-/callback/github.test'

describe('the fake GitHub refuses what GitHub refuses', () => {
  let github: FakeGithub
  beforeAll(async () => {
    github = await startFakeGithub()
    await github.user('ann')
  })
  afterAll(async () => github[Symbol.asyncDispose]())

  const authorizeUrl = (more: Record<string, string> = {}) => {
    const { clientId } = github.oauth
    const asked = new URLSearchParams({ client_id: clientId, redirect_uri: callback, ...more })
    return `${github.forge.web}/login/oauth/authorize?${asked}`
  }
  const codeFor = async (more: Record<string, string> = {}) =>
    new URL(await github.approve(authorizeUrl(more), 'ann')).searchParams.get('code') ?? ''
  const exchange = async (body: Record<string, string>): Promise<{ access_token?: string; error?: string }> => {
    const { clientId, clientSecret } = github.oauth
    const whole = { client_id: clientId, client_secret: clientSecret, redirect_uri: callback, ...body }
    const response = await fetch(`${github.forge.web}/login/oauth/access_token`, {
      method: 'POST',
      body: JSON.stringify(whole),
    })
    return (await response.json()) as { access_token?: string; error?: string }
  }
  const api = (path: string, token?: string) =>
    fetch(`${github.forge.api}${path}`, { headers: token ? { authorization: `Bearer ${token}` } : {} })

  test('a verifier that is not the one of the challenge', async () => {
    const verifier = randomBytes(32).toString('base64url')
    const challenge = {
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    }
    expect(await exchange({ code: await codeFor(challenge), code_verifier: 'another' })).toMatchObject({
      error: 'bad_verification_code',
    })
    expect(await exchange({ code: await codeFor(challenge) })).toMatchObject({ error: 'bad_verification_code' })
    expect(await exchange({ code: await codeFor(challenge), code_verifier: verifier })).toHaveProperty('access_token')
  })

  test('a code that was used, or that nobody handed out', async () => {
    const code = await codeFor()
    expect(await exchange({ code })).toHaveProperty('access_token')
    expect(await exchange({ code })).toEqual({ error: 'bad_verification_code' })
    expect(await exchange({ code: 'guessed' })).toEqual({ error: 'bad_verification_code' })
  })

  test('a redirect to anywhere but the callback, asked for or exchanged', async () => {
    for (const redirect_uri of ['https://evil.example/-/callback/github.test', 'http://127.0.0.1:8000/elsewhere'])
      expect((await fetch(authorizeUrl({ redirect_uri }))).status).toBe(400)
    const elsewhere = { redirect_uri: callback.replace('github.test', 'other.test') }
    expect(await exchange({ code: await codeFor(), ...elsewhere })).toEqual({ error: 'redirect_uri_mismatch' })
  })

  test('a wrong secret of the app', async () => {
    expect(await exchange({ code: await codeFor(), client_secret: 'x' })).toEqual({
      error: 'incorrect_client_credentials',
    })
  })

  test('a private repository without the scope, by its API and by git', async () => {
    await github.repo('ann', 'secret', { private: true })
    const folder = await mkdtemp(join(tmpdir(), 'origami-secret-'))
    await writeFile(join(folder, 'model.py'), 'def predict(): return 1\n')
    await github.push('ann', 'secret', folder, 'first')
    await rm(folder, { recursive: true })
    const plain = (await exchange({ code: await codeFor() })).access_token
    const scoped = (await exchange({ code: await codeFor({ scope: 'repo' }) })).access_token
    const refs = (token?: string) =>
      fetch(`${github.forge.git}/ann/secret.git/info/refs?service=git-upload-pack`, {
        headers: token ? { authorization: `Basic ${btoa(`x-access-token:${token}`)}` } : {},
      })
    expect([(await api('/repos/ann/secret')).status, (await api('/repos/ann/secret', plain)).status]).toEqual([
      404, 404,
    ])
    expect([(await refs()).status, (await refs(plain)).status]).toEqual([401, 404])
    expect([(await api('/repos/ann/secret', scoped)).status, (await refs(scoped)).status]).toEqual([200, 200])
    expect((await api('/user', 'gho_guessed')).status).toBe(401)
  })
})
