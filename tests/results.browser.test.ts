import type { Browser, Page, Route } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { axeFinds } from './axe.ts'
import { newVisitor, startBrowser } from './browser.ts'
import { photograph } from './path.ts'
import { Person, placeOf } from './person.ts'
import { World } from './world.ts'

describe('what a visitor ran', () => {
  let world: World
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    // With pages of one byte each page has one result.
    world = await World.start({ engine: 'process', settings: 'limits: { results_page: 0.001k }' })
    const ann = await world.person('ann')
    await ann.deploy(await world.push('tests/demos/gated', 'ann'))
    browser = await startBrowser()
    page = await (await newVisitor(browser)).newPage()
    await page.goto(`${world.url}/ann/gated`)
    await page.getByLabel('Word').fill('hello')
    await page.getByRole('button', { name: /^Run/ }).click()
    await page.getByRole('link', { name: 'permalink' }).waitFor()
    await page.getByRole('tab', { name: 'My results' }).click()
  })

  afterAll(async () => {
    await browser?.close()
    await world?.[Symbol.asyncDispose]()
  })

  const results = () =>
    page.getByRole('tabpanel', { name: 'My results' }).getByRole('listitem').filter({ hasText: 'succeeded' })

  test('is one of the tabs, which arrow keys, Home and End go through', async () => {
    const tab = (name: string) => page.getByRole('tab', { name, selected: true })
    for (const [key, name] of [
      ['ArrowLeft', 'API'],
      ['Home', 'About'],
      ['ArrowLeft', 'My results'],
      ['ArrowRight', 'About'],
      ['End', 'My results'],
    ] as const) {
      await page.keyboard.press(key)
      await tab(name).waitFor()
      expect(await tab(name).evaluate((element) => element === document.activeElement)).toBe(true)
      await page.getByRole('tabpanel', { name }).waitFor()
    }
    await page.keyboard.press('Tab')
    expect(
      await page
        .getByRole('tabpanel', { name: 'My results' })
        .evaluate((panel) => panel.contains(document.activeElement)),
    ).toBe(true)
  })

  test('is listed, with what went in, what came out and when; and can be run again', async () => {
    await results().getByText('hello, version 1').waitFor()
    await results().getByText('just now').waitFor()
    await results().getByRole('button', { name: 'Run again' }).click()
    await page.getByRole('button', { name: 'Older' }).waitFor()
    await page.getByRole('link', { name: 'permalink' }).waitFor()
    expect(await axeFinds(page)).toEqual([])
    await page.getByText('2 runs').waitFor()
    await photograph(page, 'results')
  })

  test('comes a page at a time: what is older is asked for, asked for again where it did not come, and has the focus', async () => {
    const second = `${world.url}/-/api/demos/ann/gated/results?*`
    const refuse = (route: Route) => route.fulfill({ status: 503, json: { error: 'The lab has no electricity.' } })
    expect(await results().count()).toBe(1)
    await page.route(second, refuse)
    await page.getByRole('button', { name: 'Older' }).press('Enter')
    const alert = page.getByRole('alert').filter({ hasText: 'The lab has no electricity.' })
    await alert.waitFor()
    expect(await results().count()).toBe(1)
    await page.unroute(second, refuse)
    await alert.getByRole('button', { name: 'Try again' }).press('Enter')
    await results().nth(1).getByRole('link', { name: 'hello' }).and(page.locator(':focus')).waitFor()
    expect(await results().count()).toBe(2)
    expect(await page.getByRole('button', { name: 'Older' }).or(page.getByRole('alert')).count()).toBe(0)
    await photograph(page, 'results-older')
  })

  test("is nobody else's to see in their list, or to delete", async () => {
    const id = new URL(page.url()).pathname.split('/').at(-1)
    const other = new Person(world.url)
    await other.session()
    const path = '/-/api/demos/ann/gated/results'
    expect(await other.call('GET /-/api/demos/:account/:name/results', { params: placeOf('/ann/gated') })).toEqual({
      predictions: [],
    })
    expect(await other.status('DELETE', `${path}/${id}`)).toBe(404)
    expect((await other.fetch(`/ann/gated/predictions/${id}`)).status).toBe(200)
  })

  test('is deleted after a question, and its permalink with it', async () => {
    const id = new URL(page.url()).pathname.split('/').at(-1)
    const first = results().first()
    await first.getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('dialog').getByText('This cannot be undone').waitFor()
    await page.keyboard.press('Escape')
    expect(await results().count()).toBe(2)
    await first.getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await results().nth(1).waitFor({ state: 'detached' })
    expect((await new Person(world.url).fetch(`/ann/gated/predictions/${id}`)).status).toBe(404)
  })
})
