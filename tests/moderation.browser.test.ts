import { join } from 'node:path'
import { execa } from 'execa'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { axeFinds } from './axe.ts'
import { newVisitor, phone, startBrowser, wide } from './browser.ts'
import { photograph } from './path.ts'
import { Person, placeOf } from './person.ts'
import { World } from './world.ts'

const main = join(import.meta.dirname, '../packages/cli/src/main.ts')

describe('the owner of a server, of a demo that is not theirs', () => {
  let world: World
  let ann: Person
  let operator: Person
  let address: string
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    world = await World.start({ engine: 'process' })
    ann = await world.person('ann')
    address = (await ann.deploy(await world.push('tests/demos/gated', 'ann'))).address
    operator = new Person(world.url)
    await operator.session()
    await operator.call('POST /-/api/session/link', { body: { secret: new URL(world.ownerLink()).hash.slice(1) } })
    browser = await startBrowser()
    page = await (await newVisitor(browser)).newPage()
    await page.goto(world.ownerLink())
    await page.getByRole('link', { name: 'My demos' }).waitFor()
  })
  afterAll(async () => {
    await browser?.close()
    await world?.[Symbol.asyncDispose]()
  })

  const change = (who: Person, body: object) => who.status('PATCH', `/-/api/demos${address}`, body)

  test('sees no log and no repository of a private demo, and neither renames nor publishes it', async () => {
    expect(await change(operator, { public: false })).toBe(200)
    const seen = await operator.page(address)
    expect(seen).toMatchObject({ mine: false, controls: true, unlisted: null, detail: null })
    expect((await operator.call('GET /-/api/accounts/:account', { params: { account: 'ann' } })).demos).toHaveLength(1)
    expect(await operator.status('GET', `/-/api/demos${address}/logs`)).toBe(404)
    for (const body of [{ public: true }, { name: 'mine' }, { name: 'mine', public: false }])
      expect(await change(operator, body)).toBe(403)
    expect(await change(ann, { public: true })).toBe(200)
  })

  test('hides it and stops it on its page', async () => {
    await page.goto(world.url + address)
    await page.getByRole('tab', { name: 'Moderation' }).click()
    await page.getByRole('button', { name: 'Make unlisted' }).click()
    await page.getByText('It is unlisted:').waitFor()
    await page.getByRole('button', { name: 'Stop', exact: true }).click()
    await page.getByRole('button', { name: 'Stop', exact: true }).waitFor({ state: 'detached' })
    expect(await ann.page(address)).toMatchObject({ state: 'stopped', public: false })
    expect((await new Person(world.url).call('GET /-/api/demos', {})).demos).toEqual([])
  })

  test('and its owner starts and publishes it again only while they may deploy', async () => {
    const deployers = (verb: string) =>
      execa(process.execPath, [main, 'deployers', verb, 'github.test/ann', '--data', world.folder, '--forges', forges])
    const forges = join(world.folder, 'forges.json')
    const start = () => ann.status('POST', `/-/api/demos${address}/start`)
    await deployers('remove')
    expect([await start(), await change(ann, { public: true })]).toEqual([403, 403])
    await deployers('add')
    expect([await start(), await change(ann, { public: true })]).toEqual([200, 200])
    await ann.settled(address)
  })

  test('the tab of it is for everybody to read, in light and dark, wide and narrow', async () => {
    const cookies = await page.context().cookies()
    for (const scheme of ['light', 'dark'] as const)
      for (const [size, viewport] of [
        ['wide', wide],
        ['phone', phone],
      ] as const) {
        const context = await newVisitor(browser, scheme, viewport)
        await context.addCookies(cookies)
        const other = await context.newPage()
        await other.goto(world.url + address)
        await other.getByRole('tab', { name: 'Moderation' }).click()
        await other.getByText('You run this server').waitFor()
        await photograph(other, `moderation-${scheme}-${size}`)
        expect(await axeFinds(other)).toEqual([])
        expect(await other.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
        await context.close()
      }
  })

  test('stops, hides and removes it by the command', async () => {
    const { token } = await operator.call('POST /-/api/tokens', {
      body: { name: 'operator', scopes: ['deploy', 'admin'] },
    })
    const env = { HOME: world.folder, ORIGAMI_URL: world.url, ORIGAMI_TOKEN: token }
    const origami = async (...args: string[]) => (await execa(process.execPath, [main, ...args], { env })).stdout
    expect(await origami('stop', address)).toBe('/ann/gated stopped')
    expect(await origami('hide', address)).toBe('/ann/gated unlisted')
    expect(await ann.page(address)).toMatchObject({ state: 'stopped', public: false })
    expect(await origami('remove', address)).toBe('/ann/gated removed')
    expect(await ann.status('GET', `/-/api/demos${address}`)).toBe(404)
  })

  test('nobody else has any of it', async () => {
    const bob = await world.person('bob')
    address = (await ann.deploy(await world.push('tests/demos/gated', 'ann', { name: 'other' }))).address
    expect(await bob.page(address)).toMatchObject({ mine: false, controls: false })
    const { account, name } = placeOf(address)
    for (const [method, rest] of [
      ['POST', '/stop'],
      ['DELETE', ''],
    ] as const)
      expect(await bob.status(method, `/-/api/demos/${account}/${name}${rest}`)).toBe(404)
    const { token } = await operator.call('POST /-/api/tokens', { body: { name: 'no admin', scopes: ['deploy'] } })
    const headers = { authorization: `Bearer ${token}` }
    const stopped = await fetch(`${world.url}/-/api/demos${address}/stop`, { method: 'POST', headers })
    expect(stopped.status).toBe(404)
  })
})
