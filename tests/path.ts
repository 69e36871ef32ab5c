import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { expect } from 'vitest'
import { newVisitor } from './browser.ts'
import type { World } from './world.ts'

const patience = 240_000

/**
 * A picture of the page, kept beside the tests and out of git, where `ORIGAMI_PICTURES` says that somebody wants to
 * look at them.
 */
export async function photograph(page: Page, name: string): Promise<void> {
  if (!process.env.ORIGAMI_PICTURES) return
  const folder = join(import.meta.dirname, 'pictures')
  await mkdir(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}

/**
 * Somebody signs in with the fake GitHub by its pages, picks a repository of theirs and presses Deploy. Resolves on the
 * demo's page, once it is live.
 */
export async function signInAndDeploy(
  world: World,
  browser: Browser,
  login: string,
  repository: string,
): Promise<Page> {
  const page = await (await newVisitor(browser)).newPage()
  await page.goto(`${world.url}/-/sign-in`)
  await page.getByRole('link', { name: 'Sign in with github.test' }).click()
  await page.getByLabel('Login').fill(login)
  await page.getByRole('button', { name: 'Authorize' }).click()
  await page.getByRole('link', { name: 'New demo' }).click()
  await page
    .getByRole('listitem')
    .filter({ hasText: `${login}/${repository}` })
    .getByRole('button', { name: 'Choose' })
    .click()
  await page.getByText('.origami is there').waitFor()
  await page.getByRole('button', { name: 'Deploy', exact: true }).click()
  await page.waitForURL(`**/${login}/${repository}#deployments`)
  await page.getByLabel('Log of this demo').getByText('Building').first().waitFor({ timeout: patience })
  await page
    .getByRole('button', { name: /^Run/ })
    .or(page.getByText(/^It could not be started/))
    .waitFor({ timeout: patience })
  return page
}

/** Two visitors and one poet: the second sees their place, and is answered when the first gives up. */
export async function twoVisitorsQueue(world: World, browser: Browser, address: string): Promise<void> {
  const [first, second] = await Promise.all([visit(world, browser, address), visit(world, browser, address)])
  await first.getByLabel('Topic').fill('patience')
  await first.getByLabel('Lines').fill('40')
  await first.getByLabel('Pause').fill('2')
  await first.getByRole('button', { name: /^Run/ }).click()
  await first.getByText(/^Running/).waitFor()
  await second.getByRole('button', { name: 'Example 1' }).click()
  await second.getByRole('button', { name: /^Run/ }).click()
  await second.getByText(/^1st in line/).waitFor()
  await expect.poll(() => second.title()).toContain('1st in line')
  await first.getByLabel('Output', { exact: true }).locator('[data-component="text"]').getByText('patience').waitFor()
  await second.reload()
  await second.getByText(/^1st in line/).waitFor()
  await first.keyboard.press('Escape')
  await first.getByText('Canceled.').waitFor()
  await second.getByLabel('Output', { exact: true }).locator('[data-component="text"]').getByText(/rain/).waitFor()
  await second.getByRole('link', { name: 'permalink' }).waitFor()
  await photograph(second, 'poet-answered')
}

async function visit(world: World, browser: Browser, address: string): Promise<Page> {
  const page = await (await newVisitor(browser)).newPage()
  await page.goto(world.url + address)
  await page.getByRole('button', { name: /^Run/ }).waitFor()
  return page
}
