import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newVisitor, phone, startBrowser, wide } from './browser.ts'
import { World } from './world.ts'

const shell = promisify(execFile)

describe('the page of the API', () => {
  let world: World
  let browser: Browser
  let operations: string[]
  let token: string
  /** What is printed under each operation. */
  let lines: Record<string, string>

  beforeAll(async () => {
    world = await World.start({ engine: 'process' })
    browser = await startBrowser()
    const ann = await world.person('ann')
    const demo = await ann.deploy(await world.push('tests/demos/gated', 'ann'))
    expect(demo.state, demo.detail?.newest?.reason ?? '').toBe('running')
    token = (await ann.call('POST /-/api/tokens', { body: { name: 'docs', scopes: ['run', 'deploy', 'admin'] } })).token
    const document: unknown = await ann.call('GET /-/openapi.json', {})
    const { paths } = document as { paths: Record<string, Record<string, { operationId?: string }>> }
    operations = Object.values(paths).flatMap((item) =>
      Object.values(item).flatMap(({ operationId }) => operationId ?? []),
    )
    expect(operations.length).toBeGreaterThan(30)
    const printed = (await open()).locator('article[aria-labelledby]')
    lines = Object.fromEntries(
      await printed.evaluateAll((all) => all.map((one) => [one.id, one.querySelector('pre')?.textContent ?? ''])),
    )
  })
  afterAll(async () => {
    await browser?.close()
    await world?.[Symbol.asyncDispose]()
  })

  test('has every operation under its own address, and asks nobody but this server', async () => {
    const asked: string[] = []
    const page = await open('', wide, (opened) =>
      opened.on('request', (request) => asked.push(new URL(request.url()).origin)),
    )
    const shown = await page.locator('article[aria-labelledby]').evaluateAll((all) => all.map(({ id }) => id))
    expect(shown.toSorted()).toEqual(operations.toSorted())
    for (const href of await page
      .locator('main a[href^="#"]')
      .evaluateAll((all) => all.map((link) => link.getAttribute('href'))))
      expect(await page.locator(`[id="${href?.slice(1)}"]`).count(), href ?? '').toBe(1)
    expect(new Set(asked)).toEqual(new Set([world.url]))
  })

  test('opens at the operation that its address names', async () => {
    const page = await open('#removeDemo')
    await expect
      .poll(() => page.locator('#removeDemo').evaluate((one) => Math.abs(one.getBoundingClientRect().top)))
      .toBeLessThan(50)
    expect(await page.evaluate(() => scrollY)).toBeGreaterThan(1000)
  })

  test('does not scroll sideways on a phone, whatever is unfolded', async () => {
    const page = await open('', phone)
    await page.locator('details').evaluateAll((all) => {
      for (const one of all) (one as HTMLDetailsElement).open = true
    })
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(phone.width)
  })

  test.each([
    ['getSession', 200],
    ['listTokens', 200],
    ['revokeToken', 200],
    ['listDemos', 200],
    ['listAccountDemos', 200],
    ['listMyDemos', 200],
    ['listRepositories', 200],
    ['getDemo', 200],
    ['changeDemo', 200],
    ['removeDemo', 404],
    ['readLog', 200],
    ['predict', 200],
    ['predictAs', 200],
    ['getPrediction', 200],
    ['followPrediction', 200],
    ['putFile', 201],
    ['getFile', 200],
    ['getSchema', 200],
    ['getHealth', 200],
    ['stopDemo', 200],
    ['startDemo', 200],
  ])('the line of %s runs as printed and is answered %i', async (operation, status) => {
    const line = lines[operation] ?? ''
    expect(line).toContain('curl ')
    expect(line).not.toContain('ori_')
    const env = { PATH: process.env.PATH ?? '', ORIGAMI_TOKEN: token }
    const { stdout } = await shell('bash', ['-c', `${line} -sS -w '\\n%{http_code}'`], { env })
    expect(stdout.split('\n').at(-1), `${line}\n${stdout}`).toBe(String(status))
  })

  test('has no line for what no token may do', () => {
    expect(lines.makeToken).toBe('# For a browser that is signed in: no token may do this.')
  })

  test('says so when the document does not come, and tries again when told', async () => {
    const page = await (await newVisitor(browser)).newPage()
    await page.route('**/-/openapi.json', (route) => route.abort())
    await page.goto(`${world.url}/-/docs`)
    const retry = page.getByRole('alert').getByRole('button', { name: 'Try again' })
    await retry.waitFor()
    await page.unroute('**/-/openapi.json')
    await retry.click()
    await page.getByRole('heading', { name: 'Schemas' }).waitFor()
  })

  /** The page as ann's demo is seen on it by a visitor, once its lines speak of that demo. */
  async function open(hash = '', viewport = wide, before: (page: Page) => void = () => {}): Promise<Page> {
    const page = await (await newVisitor(browser, 'light', viewport)).newPage()
    before(page)
    await page.goto(`${world.url}/-/docs${hash}`)
    await page.locator('#predict pre').getByText('"word"').waitFor()
    return page
  }
})
