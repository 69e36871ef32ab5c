import { join } from 'node:path'
import { type Runtime, startRuntime } from 'origami-lib/runtime'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { axeFinds } from './axe.ts'
import { newVisitor, phone, startBrowser, wide } from './browser.ts'
import { photograph } from './path.ts'
import { Person } from './person.ts'
import { World } from './world.ts'

const model = join(import.meta.dirname, 'demos/gated/model.ts')

/** The demo as `docker run` of its bundle has it, once it is ready. */
async function serve(port: number): Promise<Runtime> {
  const runtime = await startRuntime({ model, host: '127.0.0.1', port })
  await vi.waitFor(async () => expect((await runtime.predictor.health()).status).toBe('READY'))
  return runtime
}

describe("a demo that runs on its author's own server", () => {
  let world: World
  let browser: Browser
  let runtime: Runtime
  let page: Page

  beforeAll(async () => {
    world = await World.start({ engine: 'process', networks: ['127.0.0.0/8'] })
    runtime = await serve(0)
    browser = await startBrowser()
    page = await (await newVisitor(browser)).newPage()
    await page.goto(world.ownerLink())
    await page.getByRole('link', { name: 'New demo' }).click()
  })

  afterAll(async () => {
    await browser?.close()
    await runtime?.[Symbol.asyncDispose]()
    await world?.[Symbol.asyncDispose]()
  })

  const ask = async (url: string) => {
    await page.getByLabel('Address of the demo').fill(url)
    await page.getByRole('button', { name: 'Ask it' }).click()
  }
  const visitor = () => new Person(world.url)
  const listed = async () => (await visitor().call('GET /-/api/demos', {})).demos

  test('is asked first: what is no demo, or not there, is not listed', async () => {
    await ask(world.github.forge.web ?? '')
    await page.getByText('Expected a demo that answers at').waitFor()
    await ask('http://127.0.0.1:1/')
    await page.getByText('it could not be reached (ECONNREFUSED)').waitFor()
    await ask('http://10.0.0.7/')
    await page.getByText('10.0.0.7 is not a public address').waitFor()
    expect(await listed()).toEqual([])
  })

  test('is listed and linked, for everybody', async () => {
    await ask(runtime.url)
    await page.getByText('Gated answers there, and takes Word, Gate.').waitFor()
    await photograph(page, 'elsewhere-asked')
    await page.getByRole('button', { name: 'List it' }).click()
    await page.waitForURL('**/owner/gated')
    const open = page.getByRole('link', { name: `Open ${new URL(runtime.url).host}` })
    await expect.poll(() => open.getAttribute('href')).toBe(`${runtime.url}/`)
    expect(await listed()).toMatchObject([{ address: '/owner/gated', title: 'Gated', state: 'elsewhere' }])
    for (const [scheme, viewport] of [
      ['light', wide],
      ['dark', phone],
    ] as const) {
      const other = await (await newVisitor(browser, scheme, viewport)).newPage()
      await other.goto(`${world.url}/owner/gated`)
      await other.getByRole('link', { name: /^Open/ }).waitFor()
      expect(await axeFinds(other)).toEqual([])
      await photograph(other, `elsewhere-${scheme}-${viewport.width}`)
      await other.close()
    }
  })

  test('has no queue here, and is not controlled from here', async () => {
    const refused = await visitor().fetch('/owner/gated/predictions', {
      method: 'POST',
      body: '{"input":{"word":"x"}}',
      headers: { 'content-type': 'application/json' },
    })
    expect([refused.status, await refused.text()]).toEqual([404, expect.stringContaining(`runs at ${runtime.url}/`)])
    const stop = page.evaluate(async () => {
      const { csrf } = await (await fetch('/-/api/session')).json()
      const headers = { 'x-csrf-token': csrf, 'content-type': 'application/json' }
      const answers = ['deploy', 'stop', 'start', 'cancel'].map((verb) =>
        fetch(`/-/api/demos/owner/gated/${verb}`, { method: 'POST', headers, body: '{}' }),
      )
      return Promise.all(answers.map(async (answer) => (await answer).status))
    })
    expect(await stop).toEqual([409, 409, 409, 409])
    const ann = await world.person('ann')
    expect(await ann.status('POST', '/-/api/demos/owner/gated/check', {})).toBe(404)
  })

  test('that no longer answers says so, and comes back', async () => {
    const { port } = runtime
    await runtime[Symbol.asyncDispose]()
    await page.getByRole('tab', { name: 'Listing' }).click()
    await page.getByRole('button', { name: 'Ask now' }).click()
    await page.getByText('which did not answer when it was asked last').waitFor()
    await photograph(page, 'elsewhere-unreachable')
    expect(await listed()).toMatchObject([{ state: 'unreachable' }])
    runtime = await serve(port)
    await page.getByRole('button', { name: 'Ask now' }).click()
    await page.getByText('runs elsewhere').waitFor()
  })

  test('is taken off the list', async () => {
    await page.getByRole('button', { name: 'Remove' }).click()
    await page.getByRole('dialog').getByText('the demo itself runs on').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await page.getByText('You have no demo yet.').waitFor()
    expect(await listed()).toEqual([])
  })
})
