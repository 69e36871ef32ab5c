import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { axeFinds } from '../../../tests/axe.ts'
import { poet } from './fixtures/model.ts'
import { Pages } from './fixtures/page.ts'

let pages: Pages
beforeAll(async () => {
  pages = await Pages.open()
})
afterAll(() => pages[Symbol.asyncDispose]())

const prompt = (page: Page) => page.getByRole('textbox', { name: 'Prompt' })
const run = (page: Page) => page.getByRole('button', { name: /^Run/ })
const output = (page: Page) => page.getByLabel('Output', { exact: true })
const poem = (page: Page) => output(page).locator('[data-component="text"]').first().locator('p')
const paper = (page: Page) => page.getByRole('img', { name: /draw here/ })
const inkOf = (canvas: Element) => (canvas as HTMLCanvasElement).toDataURL()

async function drawOn(page: Page): Promise<void> {
  const box = await paper(page).boundingBox()
  if (!box) throw new Error('expected paper to draw on')
  await page.mouse.move(box.x + 40, box.y + 40)
  await page.mouse.down()
  await page.mouse.move(box.x + 120, box.y + 120, { steps: 4 })
  await page.mouse.up()
}

describe('the page of a demo', () => {
  it('keeps the focus where Run was pressed', async () => {
    await using visit = await pages.visit(poet(0))
    const { page } = visit
    await prompt(page).fill('wait')
    await run(page).focus()
    await page.keyboard.press('Enter')
    await page.getByText(/^Running/).waitFor()
    await page.keyboard.press('Tab')
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe('Cancel')
  })

  it('runs an example', async () => {
    await using visit = await pages.visit(poet(0))
    const { page } = visit
    await page.getByRole('button', { name: /^Example 1/ }).click()
    await expect.poll(() => prompt(page).inputValue()).toBe('The sea at night')
    await run(page).click()
    await page.getByRole('link', { name: 'permalink' }).waitFor()
    await expect.poll(() => poem(page).textContent()).toMatch(/^Light folds along the water.* one by one\. $/)
    await page.getByRole('heading', { name: 'Why so' }).waitFor()
    expect(await page.locator('script:not([src])').count()).toBe(0)
    expect(visit.errors).toEqual([])
  })

  it('leads to the field that is wrong', async () => {
    await using visit = await pages.visit(poet(0))
    visit.demo.refuse = { prompt: 'expected at most 3 characters' }
    await run(visit.page).click()
    await visit.page.getByText('expected at most 3 characters').waitFor()
    await expect.poll(() => prompt(visit.page).evaluate((field) => field === document.activeElement)).toBe(true)
  })

  it('runs by Ctrl+Enter and cancels by Esc', async () => {
    await using visit = await pages.visit(poet(0))
    const { page } = visit
    await prompt(page).fill('wait')
    await page.keyboard.press('Control+Enter')
    await page.getByText(/^Running/).waitFor()
    await page.waitForFunction(() => document.title.startsWith('Running'))
    await page.keyboard.press('Escape')
    await page.getByText('Canceled.').waitFor()
    await page.waitForFunction(() => document.title === 'Every component')
  })

  it('says what a model that fails said', async () => {
    await using visit = await pages.visit(poet(0))
    await prompt(visit.page).fill('fail')
    await run(visit.page).click()
    await visit.page.getByRole('alert').filter({ hasText: 'the poem is too sad' }).waitFor()
    await visit.page.getByLabel('Terminal').getByText('Traceback').waitFor()
  })

  it('takes up a running prediction after a reload, each word and line once', async () => {
    await using visit = await pages.visit(poet(0))
    const { page } = visit
    await prompt(page).fill('hold')
    await run(page).click()
    await poem(page).getByText('Light folds').waitFor()
    await page.reload()
    await page.getByText(/^Running/).waitFor()
    await poem(page).getByText('one by one').waitFor()
    await expect.poll(() => poem(page).textContent()).toMatch(/^Light folds along the water, .* one by one\. $/)
    expect((await poem(page).textContent())?.match(/Light folds/g)).toHaveLength(1)
    await expect.poll(() => prompt(page).inputValue()).toBe('hold')
    await page.getByText('Terminal').click()
    await expect.poll(() => page.getByLabel('Terminal').getByText('to write about').count()).toBe(1)
  })

  it('asks how a prediction stands where no stream comes through', async () => {
    await using visit = await pages.visit(poet(0))
    visit.server.noStreams = true
    await prompt(visit.page).fill('anything')
    await run(visit.page).click()
    await visit.page.getByRole('link', { name: 'permalink' }).waitFor()
  })

  it('works where the page is not a secure context', async () => {
    await using visit = await pages.visit(poet(0), {}, () => {
      Object.defineProperty(crypto, 'randomUUID', { value: undefined })
      Object.defineProperty(navigator, 'clipboard', { value: undefined })
    })
    await prompt(visit.page).fill('anything')
    await run(visit.page).click()
    await visit.page.getByRole('link', { name: 'permalink' }).waitFor()
    await output(visit.page).getByRole('button', { name: 'copy' }).click()
    await visit.page.getByRole('button', { name: 'copied' }).waitFor()
  })

  it('keeps what is typed while a file is on its way', async () => {
    await using visit = await pages.visit(poet(0))
    const { page, demo } = visit
    const gate = Promise.withResolvers<void>()
    demo.files.gate = gate.promise
    await page.getByLabel('Photo').setInputFiles({ name: 'dot.png', mimeType: 'image/png', buffer: Buffer.from('dot') })
    await page.getByRole('progressbar', { name: 'Sending Photo' }).waitFor()
    await prompt(page).fill('typed meanwhile')
    gate.resolve()
    await page.getByRole('button', { name: 'Remove' }).waitFor()
    expect(await prompt(page).inputValue()).toBe('typed meanwhile')
  })

  it('waits for a file that is on its way before it runs', async () => {
    await using visit = await pages.visit(poet(0))
    const { page, demo } = visit
    const gate = Promise.withResolvers<void>()
    demo.files.gate = gate.promise
    await prompt(page).fill('with a photo')
    await page.getByLabel('Photo').setInputFiles({ name: 'dot.png', mimeType: 'image/png', buffer: Buffer.from('dot') })
    await page.getByRole('progressbar', { name: 'Sending Photo' }).waitFor()
    await run(page).click()
    gate.resolve()
    await page.getByRole('link', { name: 'permalink' }).waitFor()
    expect([...demo.predictions.values()].map(({ now }) => now.input.photo)).toEqual([
      expect.stringMatching(/^files\/[0-9a-f]{32}\/dot\.png$/),
    ])
  })

  it('does not send other JSON than what stands in the field', async () => {
    await using visit = await pages.visit(poet(0))
    const { page, demo } = visit
    await prompt(page).fill('anything')
    await page.getByLabel('Settings').fill('{"seed": ')
    await run(page).click()
    await page.waitForFunction(
      () => document.activeElement?.tagName === 'TEXTAREA' && document.activeElement.matches('[aria-invalid="true"]'),
    )
    expect(demo.predictions.size).toBe(0)
  })

  it('draws, and goes on when the drawing is too large to keep over a reload', async () => {
    await using visit = await pages.visit(poet(0), {}, () => {
      Storage.prototype.setItem = () => {
        throw new DOMException('full', 'QuotaExceededError')
      }
    })
    const { page, demo } = visit
    await drawOn(page)
    await prompt(page).fill('a drawing')
    await run(page).click()
    await page.getByRole('link', { name: 'permalink' }).waitFor()
    expect([...demo.predictions.values()][0]?.now.input.drawing).toMatch(/^files\/[0-9a-f]{32}\/drawing\.png$/)
  })

  it('forgets a drawing that was cleared while it was on its way', async () => {
    await using visit = await pages.visit(poet(0))
    const { page, demo } = visit
    const gate = Promise.withResolvers<void>()
    demo.files.gate = gate.promise
    const blank = await paper(page).evaluate(inkOf)
    const begun = page.waitForRequest((request) => request.method() === 'PUT' && request.url().endsWith('/drawing.png'))
    await drawOn(page)
    await begun
    await expect.poll(() => paper(page).evaluate(inkOf)).not.toBe(blank)
    await page.getByRole('button', { name: 'Clear' }).click()
    await prompt(page).fill('no drawing')
    await run(page).click()
    gate.resolve()
    await page.getByRole('link', { name: 'permalink' }).waitFor()
    expect([...demo.predictions.values()][0]?.now.input).not.toHaveProperty('drawing')
    await expect.poll(() => demo.files.stored.size).toBe(1)
    await expect.poll(() => paper(page).evaluate(inkOf)).toBe(blank)
  })

  it('follows the author: inputs that still fit are kept', async () => {
    await using visit = await pages.visit(poet(0))
    const { page, demo } = visit
    await prompt(page).fill('kept')
    const [first, ...others] = demo.shape.inputs
    if (!first) throw new Error('expected an input')
    demo.shape = {
      ...demo.shape,
      title: 'Saved again',
      inputs: [first, { ...others[0], ...first, name: 'extra', label: 'Extra' }],
    }
    await page.getByRole('heading', { name: 'Saved again' }).waitFor()
    await page.getByRole('textbox', { name: 'Extra' }).waitFor()
    expect(await prompt(page).inputValue()).toBe('kept')
  })

  it('says why a model cannot be set up', async () => {
    await using visit = await pages.visit(poet(0))
    visit.demo.state = {
      status: 'SETUP_FAILED',
      setup: { started_at: '', completed_at: '', status: 'failed', logs: 'Traceback\nValueError: no weights\n' },
      version: {},
    }
    await visit.page.getByText('ValueError: no weights').waitFor()
    await visit.page.locator('button[type=submit]:disabled').waitFor()
  })

  it('can be skipped to', async () => {
    await using visit = await pages.visit(poet(0))
    await prompt(visit.page).waitFor()
    await visit.page.keyboard.press('Tab')
    await visit.page.keyboard.press('Enter')
    await expect.poll(() => visit.page.evaluate(() => document.activeElement?.tagName)).toBe('MAIN')
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`has nothing for axe to find, ${colorScheme}`, async () => {
      await using visit = await pages.visit(poet(0), { colorScheme })
      const { page } = visit
      await prompt(page).waitFor()
      expect(await axeFinds(page)).toEqual([])
      await prompt(page).fill('fail')
      await run(page).click()
      await page.getByRole('alert').first().waitFor()
      expect(await axeFinds(page)).toEqual([])
      await prompt(page).fill('anything')
      await run(page).click()
      await page.getByRole('link', { name: 'permalink' }).waitFor()
      expect(await axeFinds(page)).toEqual([])
    })
  }
})
