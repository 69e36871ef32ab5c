import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page, Route } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { newVisitor, phone, startBrowser, wide } from './browser.ts'
import { photograph } from './path.ts'
import type { Person } from './person.ts'
import { World } from './world.ts'

/**
 * Each place that shows what the server tells: where it is, what it asks for, a tab to press, and what is there once it
 * came.
 */
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

const away = 'The daemon does not answer just now. Nothing that waits is lost.'

describe('what the server tells', () => {
  let world: World
  let browser: Browser
  let page: Page
  let ann: Person

  beforeAll(async () => {
    world = await World.start({ engine: 'process' })
    ann = await world.person('ann')
    await ann.deploy(await world.push('tests/demos/gated', 'ann'))
    browser = await startBrowser()
    page = await (await newVisitor(browser)).newPage()
    await page.goto(`${world.url}/-/sign-in`)
    await page.getByRole('link', { name: 'Sign in with github.test' }).click()
    await page.getByLabel('Login').fill('ann')
    await page.getByRole('button', { name: 'Authorize' }).click()
    await page.getByRole('link', { name: 'My demos' }).waitFor()
  })

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
      await expect.poll(() => page.getByRole('alert').count()).toBe(0)
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
    await expect.poll(() => page.getByRole('alert').count()).toBe(0)
  })

  test('of the session: a strip says that the server does not answer, and goes by itself', async () => {
    const cut = (route: Route) => route.abort()
    await page.route('**/-/api/session', cut)
    await page.goto(world.url)
    await page.getByText('The server does not answer; trying again.').waitFor()
    await page.unroute('**/-/api/session', cut)
    await page.getByText('The server does not answer; trying again.').waitFor({ state: 'detached' })
  })

  test('of repositories that are not all told: what to do about it', async () => {
    const cut = async (route: Route) => {
      const response = await route.fetch()
      await route.fulfill({ response, json: { ...(await response.json()), cut: true } })
    }
    await page.route('**/-/api/repositories?*', cut)
    await page.goto(`${world.url}/-/new`)
    await page.getByText('type more of the name, or paste the link above').waitFor()
    await page.unroute('**/-/api/repositories?*', cut)
    await page.reload()
    await page.getByRole('main').getByText('ann/gated').waitFor()
    expect(await page.getByText('There may be more').count()).toBe(0)
  })

  test('of a repository that has a demo, an unlisted one: it is deployed anew, and stays so', async () => {
    await ann.call('PATCH /-/api/demos/:account/:name', {
      params: { account: 'ann', name: 'gated' },
      body: { public: false },
    })
    await page.goto(`${world.url}/-/new?link=https://github.test/ann/gated`)
    const found = page.getByRole('region', { name: 'What was found' })
    await found.getByRole('link', { name: 'ann/gated' }).waitFor()
    expect(await found.getByRole('checkbox').count()).toBe(0)
    await found.getByRole('button', { name: 'Deploy', exact: true }).click()
    await page.waitForURL('**/ann/gated#deployments')
    expect((await ann.settled('/ann/gated')).public).toBe(false)
  })

  test('while the daemon is away: a strip, the demo as it was last known, and it goes by itself', async () => {
    await world.push('tests/demos/gated', 'ann', { name: 'later' })
    await ann.call('PATCH /-/api/demos/:account/:name', {
      params: { account: 'ann', name: 'gated' },
      body: { public: true },
    })
    const visiting = await (await newVisitor(browser)).newPage()
    for (const open of [page, visiting]) {
      await open.goto(`${world.url}/ann/gated`)
      await open.getByRole('button', { name: /^Run/ }).waitFor()
    }
    await world.killDaemon()
    // This is sooner than an open page asks for its session by itself.
    await page.getByText(away).waitFor({ timeout: 20_000 })
    await visiting.getByLabel('Word').fill('hello')
    await visiting.getByRole('button', { name: /^Run/ }).click()
    await visiting.getByText(away).waitFor({ timeout: 20_000 })
    await visiting.close()
    await page.goto(`${world.url}/ann/gated`)
    await page.getByText(away).waitFor()
    await page.getByRole('heading', { name: 'Gated' }).waitFor()
    await makeUndeployed('https://github.test/ann/later')
    world.configure({ silenceMs: 1000, daemonAnswerMs: 1000 })
    await world.startDaemon()
    await page.getByText(away).waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Remove' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await page.waitForURL('**/-/mine')
    expect(await ann.status('GET', '/-/api/demos/ann/later')).toBe(404)
  })

  test('while the link to the daemon is half open: the same, for it takes what is sent and says nothing', async () => {
    world.freezeDaemon()
    try {
      await vi.waitFor(async () => expect((await ann.session()).daemon).toBe(false), { timeout: 15_000 })
      await page.goto(`${world.url}/ann/gated`)
      await page.getByText(away).waitFor()
      await page.getByRole('heading', { name: 'Gated' }).waitFor()
    } finally {
      world.thawDaemon()
    }
    await page.getByText(away).waitFor({ state: 'detached' })
  })

  /**
   * What the daemon never heard of: a strip says so, and its owner may try again, or remove it. Leaves its page open.
   */
  async function makeUndeployed(link: string): Promise<void> {
    const refused = page.getByRole('alert').getByText('The daemon does not answer.', { exact: true })
    const deploy = page.getByRole('button', { name: 'Deploy', exact: true })
    await page.goto(`${world.url}/-/new?link=${link}`)
    await deploy.click()
    await refused.waitFor()
    await page.goto(link.replace('https://github.test', world.url))
    await page.getByText('It is not deployed yet').waitFor()
    await deploy.click()
    await refused.waitFor()
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
    await photograph(page, 'undeployed-light-1280')
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.setViewportSize(phone)
    await photograph(page, 'undeployed-dark-390')
    await page.emulateMedia({ colorScheme: 'light' })
    await page.setViewportSize(wide)
  }
})
