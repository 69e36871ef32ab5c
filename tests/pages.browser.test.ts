import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { axeFinds } from './axe.ts'
import { newVisitor, phone, startBrowser, wide } from './browser.ts'
import { photograph } from './path.ts'
import { World } from './world.ts'

/** Every page that the router knows, and a tab of the demo page that only its owner has. */
const pages: Record<string, string> = {
  gallery: '/',
  'sign-in': '/-/sign-in',
  new: '/-/new',
  mine: '/-/mine',
  account: '/-/account',
  docs: '/-/docs',
  device: '/-/device',
  owner: '/owner',
  demo: '/owner/gated',
  deployments: '/owner/gated',
  missing: '/nobody/nothing',
}

describe('every page', () => {
  let world: World
  let browser: Browser

  beforeAll(async () => {
    world = await World.start({ engine: 'process' })
    browser = await startBrowser()
    await world.push('tests/demos/gated', 'ann')
    const page = await (await newVisitor(browser)).newPage()
    await signIn(page)
    await page.goto(`${world.url}/-/new?link=https://github.test/ann/gated`)
    await page.getByRole('button', { name: 'Deploy', exact: true }).click()
    await page.getByRole('button', { name: /^Run/ }).waitFor({ timeout: 120_000 })
    await page.getByLabel('Word').fill('kept')
    await page.getByRole('button', { name: /^Run/ }).click()
    await page.getByRole('link', { name: 'permalink' }).waitFor()
    pages.prediction = new URL(page.url()).pathname
  }, 240_000)

  afterAll(async () => {
    await browser?.close()
    await world?.[Symbol.asyncDispose]()
  })

  test.each([
    ['wide', wide],
    ['on a phone', phone],
  ])(
    '%s: axe finds nothing, light or dark',
    async (_what, viewport) => {
      const page = await (await newVisitor(browser, 'light', viewport)).newPage()
      await signIn(page)
      for (const [name, path] of Object.entries(pages)) {
        await page.emulateMedia({ colorScheme: 'light' })
        await page.goto(world.url + path)
        await page.getByRole('main').getByRole('heading').or(page.getByRole('main').getByText(/./)).first().waitFor()
        if (name === 'deployments') {
          await page.getByRole('tab', { name: 'Deployments' }).click()
          await page.getByLabel('Log of this demo').getByText('Live').waitFor()
        }
        if (name === 'docs') await page.getByRole('heading', { name: 'Schemas' }).waitFor()
        await page.waitForLoadState('load')
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme })
          expect(await axeFinds(page), `${name}, ${colorScheme}, ${viewport.width}`).toEqual([])
          await photograph(page, `${name}-${colorScheme}-${viewport.width}`)
        }
      }
      await page.close()
    },
    180_000,
  )

  async function signIn(page: Page): Promise<void> {
    await page.goto(world.ownerLink())
    await page.getByRole('link', { name: 'My demos' }).waitFor()
  }
})
