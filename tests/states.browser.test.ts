import type { Browser, Page, Route } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newVisitor, startBrowser } from './browser.ts'
import { World } from './world.ts'

/** Each place that shows what the server tells: where it is, what it asks for, a tab to press, and what is there once it came. */
const places: readonly { what: string; path: string; asks: string; tab?: string; shows: string }[] = [
  { what: 'the gallery', path: '/', asks: '/-/api/demos?*', shows: 'Gated' },
  { what: 'my demos', path: '/-/mine', asks: '/-/api/mine', shows: 'Gated' },
  { what: 'an account', path: '/ann', asks: '/-/api/accounts/ann', shows: 'Gated' },
  { what: 'repositories', path: '/-/new', asks: '/-/api/repositories?*', shows: 'ann/gated' },
  { what: 'tokens', path: '/-/account', asks: '/-/api/tokens', shows: 'None yet.' },
  { what: 'a demo', path: '/ann/gated', asks: '/-/api/demos/ann/gated', shows: 'Run' },
  {
    what: 'results',
    path: '/ann/gated',
    asks: '/-/api/demos/ann/gated/results',
    tab: 'My results',
    shows: 'You have not run this demo yet.',
  },
  { what: 'the API', path: '/-/docs', asks: '/-/openapi.json', shows: 'The public demos' },
]

describe('what the server tells', () => {
  let world: World
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    world = await World.start({ engine: 'process' })
    const ann = await world.person('ann')
    await ann.deploy(await world.push('tests/demos/gated', 'ann'))
    browser = await startBrowser()
    page = await (await newVisitor(browser)).newPage()
    page.setDefaultTimeout(15_000)
    await page.goto(`${world.url}/-/sign-in`)
    await page.getByRole('link', { name: 'Sign in with github.test' }).click()
    await page.getByLabel('Login').fill('ann')
    await page.getByRole('button', { name: 'Authorize' }).click()
    await page.getByRole('link', { name: 'My demos' }).waitFor()
  }, 120_000)

  afterAll(async () => {
    await browser?.close()
    await world?.[Symbol.asyncDispose]()
  })

  test.each(places)(
    'of $what: a shape while it comes, the words of an error with a way on, then what there is',
    async ({ path, asks, tab, shows }) => {
      const held = Promise.withResolvers<void>()
      const fail = async (route: Route) => {
        await held.promise
        await route.fulfill({ status: 503, json: { error: 'The lab has no electricity.' } })
      }
      await page.route(world.url + asks, fail)
      await page.goto(world.url + path)
      if (tab) await page.getByRole('tab', { name: tab }).click()
      await page.locator('main [aria-busy="true"]').first().waitFor()
      held.resolve()
      const alert = page.getByRole('alert').filter({ hasText: 'The lab has no electricity.' })
      await alert.waitFor()
      await page.unroute(world.url + asks, fail)
      await alert.getByRole('button', { name: 'Try again' }).click()
      await page.getByRole('main').getByText(shows).first().waitFor()
      expect(await page.getByRole('alert').count()).toBe(0)
    },
  )

  test.each([
    [401, 'Sign in'],
    [503, 'Try again'],
  ])('of the log, refused with %i: an error with a way on, and never a line of it', async (status, way) => {
    const logs = `${world.url}/-/api/demos/ann/gated/logs?*`
    const refuse = (route: Route) => route.fulfill({ status, json: { error: 'The lab has no electricity.' } })
    await page.route(logs, refuse)
    await page.goto(`${world.url}/ann/gated`)
    await page.getByRole('tab', { name: 'Deployments' }).click()
    const alert = page.getByRole('alert').filter({ hasText: 'The lab has no electricity.' })
    await alert.getByText(way).waitFor()
    const log = page.getByLabel('Log of this demo')
    expect(await log.textContent()).not.toContain('electricity')
    await page.unroute(logs, refuse)
    if (status === 503) await alert.getByRole('button', { name: way }).click()
    else await page.reload()
    if (status === 401) await page.getByRole('tab', { name: 'Deployments' }).click()
    await log.getByText('Live').first().waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
  })

  test('of the session: a strip says that the server does not answer, and goes by itself', async () => {
    const cut = (route: Route) => route.abort()
    await page.route('**/-/api/session', cut)
    await page.goto(world.url)
    await page.getByText('The server does not answer; trying again.').waitFor()
    await page.unroute('**/-/api/session', cut)
    await page.getByText('The server does not answer; trying again.').waitFor({ state: 'detached' })
  })

  test('while the daemon is away: a strip, the demo as it was last known, and it goes by itself', async () => {
    await world.killDaemon()
    await page.goto(`${world.url}/ann/gated`)
    await page.getByText('The daemon does not answer just now. Nothing that waits is lost.').waitFor()
    await page.getByRole('heading', { name: 'Gated' }).waitFor()
    await world.startDaemon()
    await page.getByText('The daemon does not answer just now.').waitFor({ state: 'detached' })
  })
})
