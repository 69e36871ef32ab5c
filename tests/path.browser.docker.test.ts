import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startBrowser } from './browser.ts'
import { photograph, signInAndDeploy, twoVisitorsQueue } from './path.ts'
import { World } from './world.ts'

describe('the path from a repository to a queued demo, with the docker engine', () => {
  let world: World
  let browser: Browser

  beforeAll(async () => {
    world = await World.start({ engine: 'docker' })
    browser = await startBrowser()
    await world.push('examples/digits', 'ann')
    await world.push('examples/poet', 'bob')
  })

  afterAll(async () => {
    await browser?.close()
    await world?.[Symbol.asyncDispose]()
  })

  test('digits is deployed by clicking, drawn on, and answers', async () => {
    const page = await signInAndDeploy(world, browser, 'ann', 'digits')
    await drawSeven(page)
    await page.getByRole('button', { name: /^Run/ }).click()
    const output = page.getByLabel('Output', { exact: true })
    await output.getByRole('link', { name: 'permalink' }).or(output.getByRole('alert')).waitFor({ timeout: 60_000 })
    await photograph(page, 'digits')
    const best = output.getByRole('listitem').first()
    await expect.poll(() => best.textContent()).toContain('Seven')
  }, 400_000)

  test('two visitors queue for poet and see their places', async () => {
    await signInAndDeploy(world, browser, 'bob', 'poet')
    await twoVisitorsQueue(world, browser, '/bob/poet')
  }, 400_000)
})

/** Draws a seven with the mouse. */
async function drawSeven(page: Page): Promise<void> {
  const paper = page.getByRole('img', { name: /draw here/ })
  await paper.scrollIntoViewIfNeeded()
  const box = await paper.boundingBox()
  if (!box) throw new Error('there is no paper to draw on')
  const strokes = [
    [0.3, 0.2],
    [0.7, 0.2],
    [0.55, 0.5],
    [0.45, 0.8],
  ]
  const [[x = 0, y = 0] = [], ...rest] = strokes
  await page.mouse.move(box.x + x * box.width, box.y + y * box.height)
  await page.mouse.down()
  for (const [nextX = 0, nextY = 0] of rest)
    await page.mouse.move(box.x + nextX * box.width, box.y + nextY * box.height, { steps: 10 })
  await page.mouse.up()
}
