import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startBrowser } from './browser.ts'
import { signInAndDeploy, twoVisitorsQueue } from './path.ts'
import { World } from './world.ts'

describe('the path from a repository to a queued demo, with the process engine', () => {
  let world: World
  let browser: Browser

  beforeAll(async () => {
    world = await World.start({ engine: 'process' })
    browser = await startBrowser()
    await world.push('examples/poet', 'ann')
  })

  afterAll(async () => {
    await browser?.close()
    await world?.[Symbol.asyncDispose]()
  })

  test('sign in, choose, deploy, watch', async () => {
    const page = await signInAndDeploy(world, browser, 'ann', 'poet')
    await expect.poll(() => page.getByRole('heading', { level: 1 }).textContent()).toBe('Poet')
  }, 240_000)

  test('two visitors queue for it and see their places', async () => {
    await twoVisitorsQueue(world, browser, '/ann/poet')
  })
})
