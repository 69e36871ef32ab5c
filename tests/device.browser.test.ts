import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newVisitor, phone, startBrowser, wide } from './browser.ts'
import { photograph } from './path.ts'
import { World } from './world.ts'

interface Begun {
  device_code: string
  user_code: string
  verification_uri: string
  verification_uri_complete: string
  expires_in: number
  interval: number
}

describe('a program that signs in by a code', () => {
  let world: World
  let browser: Browser

  beforeAll(async () => {
    world = await World.start({ engine: 'process' })
    browser = await startBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await world?.[Symbol.asyncDispose]()
  })

  test('is let in on a page by who signs in on the way, and has its token once', async () => {
    const begun = await begin('laptop')
    expect(begun).toMatchObject({ expires_in: 600, interval: 2, verification_uri: `${world.url}/-/device` })
    expect(begun.user_code).toMatch(/^[B-Z]{4}-[B-Z]{4}$/)
    const early = await Promise.all([take(begun), take(begun)])
    expect(early.map(({ status, reason }) => [status, reason]).toSorted()).toEqual([
      [400, 'authorization_pending'],
      [400, 'slow_down'],
    ])

    const page = await (await newVisitor(browser)).newPage()
    await page.goto(begun.verification_uri_complete)
    await page.getByRole('link', { name: 'Sign in with github.test' }).click()
    await page.getByLabel('Login').fill('ann')
    await page.getByRole('button', { name: 'Authorize' }).click()
    const asks = page.getByRole('region', { name: 'Who asks' })
    await asks.getByText(begun.user_code).waitFor()
    for (const text of ['laptop', 'ann', '127.0.0.1', 'origami/1']) await asks.getByText(text).first().waitFor()
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.getByText('It is signed in.').waitFor()

    const taken = await take(begun)
    expect(taken).toMatchObject({ status: 200, handle: 'ann', token: expect.stringMatching(/^ori_/) })
    const session = await fetch(`${world.url}/-/api/session`, { headers: { authorization: `Bearer ${taken.token}` } })
    expect(await session.json()).toMatchObject({ account: { handle: 'ann' } })
    expect(await take(begun)).toMatchObject({ status: 400, reason: 'used' })
    await page.goto(`${world.url}/-/account`)
    await page.getByText('origami login on laptop', { exact: true }).waitFor()
  })

  test('is denied on the page, and told so', async () => {
    const begun = await begin('laptop')
    const page = await (await newVisitor(browser)).newPage()
    await page.goto(world.ownerLink())
    await page.getByRole('link', { name: 'My demos' }).waitFor()
    await page.goto(begun.verification_uri)
    await page.getByLabel('The code that your terminal shows').fill(begun.user_code.toLowerCase().replace('-', ' '))
    await page.getByRole('button', { name: 'Go on' }).click()
    await page.getByRole('button', { name: 'Deny' }).click()
    await page.getByText('It was denied.').waitFor()
    expect(await take(begun)).toMatchObject({ status: 400, reason: 'access_denied' })
    await page.goto(begun.verification_uri_complete)
    await page.getByRole('alert').getByText('Nobody asks under that code').waitFor()
  })

  test('cannot be let in by who may not deploy, without the CSRF token, or by guessing', async () => {
    const begun = await begin('laptop')
    const answer = { code: begun.user_code, allow: true }
    const carol = await world.person('carol')
    expect(await carol.status('POST', '/-/api/device/answer', answer)).toBe(403)
    const headers = { 'content-type': 'application/json' }
    const bare = await fetch(`${world.url}/-/api/device/answer`, {
      method: 'POST',
      headers,
      body: JSON.stringify(answer),
    })
    expect(bare.status).toBe(403)
    const ann = await world.person('ann')
    expect(await ann.status('POST', '/-/api/device/answer', { code: 'BCDF-GHJK', allow: true })).toBe(404)
    expect(await take({ device_code: 'guessed' })).toMatchObject({ status: 400, reason: 'expired_token' })
    expect(await take(begun)).toMatchObject({ status: 400, reason: 'authorization_pending' })
  })

  test('too often is told to wait', async () => {
    const all = await Promise.all(Array.from({ length: 25 }, () => ask('/-/api/device', {})))
    expect(all.map(({ status }) => status)).toContain(429)
  })

  test.each(['light', 'dark'] as const)('the page, %s, is to be looked at', async (scheme) => {
    for (const viewport of [wide, phone]) {
      const page = await (await newVisitor(browser, scheme, viewport)).newPage()
      await page.goto(world.ownerLink())
      await page.getByRole('link', { name: 'My demos' }).waitFor()
      await page.route('**/-/api/device?code=*', (route) =>
        route.fulfill({
          json: { host: 'laptop', agent: 'origami/1', address: '192.0.2.7', expires_at: '2026-11-24T00:00:00Z' },
        }),
      )
      await page.goto(`${world.url}/-/device?code=BCDF-GHJK`)
      await page.getByRole('button', { name: 'Allow' }).waitFor()
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(viewport.width)
      await photograph(page, `device-asks-${scheme}-${viewport.width}`)
    }
  })

  const ask = (path: string, body: object) =>
    fetch(world.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'origami/1' },
      body: JSON.stringify(body),
    })
  const begin = async (host: string) => (await (await ask('/-/api/device', { host })).json()) as Begun
  async function take({ device_code }: Pick<Begun, 'device_code'>) {
    const response = await ask('/-/api/device/token', { device_code })
    return {
      status: response.status,
      ...((await response.json()) as { token?: string; handle?: string; reason?: string }),
    }
  }
})
