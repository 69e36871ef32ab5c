import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureCertificates } from '@origami/web'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { World } from './world.ts'

describe('what must not be had', () => {
  let world: World

  beforeAll(async () => {
    world = await World.start({ engine: 'process' })
  })
  afterAll(async () => world[Symbol.asyncDispose]())

  test('the daemon answers nobody without a certificate of its authority', async () => {
    const foreign = await mkdtemp(join(tmpdir(), 'origami-foreign-'))
    try {
      await ensureCertificates(foreign)
      const ca = await readFile(join(world.folder, 'web/tls/ca.pem'))
      expect(await ask(world.daemonUrl, { ca })).toBe('refused')
      expect(await ask(world.daemonUrl, { ca, ...(await certificate(foreign)) })).toBe('refused')
      expect(await ask(world.daemonUrl, { ca, ...(await certificate(world.folder)) })).toBe(200)
    } finally {
      await rm(foreign, { recursive: true, force: true })
    }
  })

  test('after a private deploy no forge token is in any file', async () => {
    const ann = await world.person('ann')
    await ann.authorize(`${world.url}/-/sign-in/github.test?scope=repo&return=/`, world.github, 'ann')
    const page = await ann.deploy(await world.push('tests/demos/gated', 'ann', { private: true }), { public: false })
    expect(page.state, page.detail?.newest?.reason ?? '').toBe('running')
    const tokens = world.github.tokens()
    expect(tokens.length).toBeGreaterThan(1)
    for (const path of await filesUnder(world.folder)) {
      const bytes = await readFile(path)
      for (const token of tokens) expect(bytes.includes(token), path).toBe(false)
    }
  })

  test('a change by cookie without the CSRF token is refused, and a page of another site runs nothing', async () => {
    const ann = await world.person('ann')
    expect((await ann.fetch('/-/api/session')).ok).toBe(true)
    const bare = await fetch(`${world.url}/-/api/tokens`, {
      method: 'POST',
      body: '{"name":"x"}',
      headers: { 'content-type': 'application/json' },
    })
    expect(bare.status).toBe(403)
    const foreign = { origin: 'https://evil.example', 'content-type': 'application/json' }
    expect(
      (await fetch(`${world.url}/ann/gated/predictions`, { method: 'POST', body: '{}', headers: foreign })).status,
    ).toBe(403)
  })

  test('a sign-in that was begun in another browser, or ended before, is refused', async () => {
    const begun = await fetch(`${world.url}/-/sign-in/github.test`, { redirect: 'manual' })
    const back = await world.github.approve(begun.headers.get('location') ?? '', 'ann')
    expect((await fetch(back, { redirect: 'manual' })).status).toBe(422)
    expect((await fetch(back, { redirect: 'manual' })).status).toBe(422)
  })

  test("a demo's files are never a page of ours, whatever they say they are", async () => {
    const ann = await world.person('ann')
    const sent = { method: 'PUT', headers: { 'content-type': 'text/html' }, body: '<script>alert(1)</script>' }
    const put = await ann.fetch('/ann/gated/files/0123456789abcdef/x.html', sent)
    expect(put.status).toBe(201)
    const { headers } = await ann.fetch('/ann/gated/files/0123456789abcdef/x.html')
    expect(headers.get('content-type')).toBe('application/octet-stream')
    expect(headers.get('content-disposition')).toMatch(/^attachment/)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toBe("sandbox; default-src 'none'")
  })

  test('pages carry no inline script, may not be framed, and their cookies are no script of ours to read', async () => {
    const response = await fetch(world.url, { headers: { accept: 'text/html' } })
    const policy = Object.fromEntries(
      (response.headers.get('content-security-policy') ?? '')
        .split(';')
        .map((rule) => rule.trim().split(/ (.*)/).slice(0, 2)),
    )
    expect(policy).toMatchObject({
      'default-src': "'self'",
      'frame-ancestors': "'none'",
      'base-uri': "'none'",
      'object-src': "'none'",
      'form-action': "'self'",
      'img-src': "'self' data: blob:",
    })
    expect(policy).not.toHaveProperty('script-src')
    expect((await response.text()).match(/<script(?![^>]* src=)/g)).toBeNull()
    const session = await fetch(`${world.url}/-/api/session`)
    const cookies = session.headers.getSetCookie()
    expect(cookies.length).toBeGreaterThan(0)
    for (const cookie of cookies) expect(cookie).toMatch(/; HttpOnly.*; SameSite=Lax/)
  })

  test('a hostile link is refused and nothing is stored', async () => {
    const ann = await world.person('ann')
    for (const link of [
      'https://evil.example/a/b',
      'file:///etc/passwd',
      'https://u:p@github.test/a/b',
      'https://github.test/a/../b',
    ])
      expect(await ann.status('POST', '/-/api/demos', { link })).toBe(422)
    expect((await ann.call('GET /-/api/mine', {})).demos.map(({ name }) => name)).toEqual(['gated'])
  })
})

describe('who asks too much', () => {
  test('is told to wait, with how long', async () => {
    await using world = await World.start({ engine: 'process' })
    const refused: Response[] = []
    for (let batch = 0; batch < 14 && refused.length === 0; batch += 1) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => fetch(`${world.url}/-/api/demos`)))
      refused.push(...answers.filter(({ status }) => status === 429))
    }
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0)
  })

  test('or sends too much, is refused', async () => {
    await using world = await World.start({ engine: 'process' })
    const body = `{"input":"${'x'.repeat(65 * 1024 ** 2)}"}`
    const headers = { 'content-type': 'application/json' }
    const outcome = fetch(`${world.url}/ann/gated/predictions`, { method: 'POST', headers, body }).then(
      ({ status }) => status,
      () => 'cut off',
    )
    expect(await outcome).toSatisfy((status) => status === 413 || status === 'cut off')
  })
})

async function certificate(data: string): Promise<{ cert: Buffer; key: Buffer }> {
  return { cert: await readFile(join(data, 'web/tls/cert.pem')), key: await readFile(join(data, 'web/tls/key.pem')) }
}

async function ask(url: string, connect: object): Promise<number | 'refused'> {
  const dispatcher = new Agent({ connect })
  try {
    const response = await request(`${url}/stats`, { dispatcher })
    await response.body.dump()
    return response.statusCode
  } catch {
    return 'refused'
  } finally {
    await dispatcher.destroy()
  }
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}
