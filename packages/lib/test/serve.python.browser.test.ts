import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newVisitor, startBrowser } from '../../../tests/browser.ts'
import { serveModel } from '../src/runtime/index.ts'

const python = (title: string, end: string) => `from origami import demo

@demo(title="${title}")
def predict(word: str) -> str:
    return word + "${end}"
`
const typescript = (title: string, end: string) => `import { demo, text } from 'origami-lib'

export default demo({
  title: '${title}',
  inputs: { word: text() },
  outputs: { said: text() },
  predict: ({ word }) => word + '${end}',
})
`

let browser: Browser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser?.close())

describe.each([
  { file: 'model.py', written: python },
  { file: 'model.ts', written: typescript },
])('an author who saves $file', ({ file, written }) => {
  test('sees it on the page, with what was typed still there, and a mistake until it is mended', async () => {
    await using place = await folder()
    const model = join(place.path, file)
    await writeFile(model, written('First', '!'))
    await using runtime = await serveModel({ model, port: 0, host: '127.0.0.1', onLog: () => undefined })
    const page = await (await newVisitor(browser)).newPage()
    await page.goto(runtime.url)
    const wordInput = page.getByLabel('Word')
    const run = page.getByRole('button', { name: /^Run/ })
    const said = page.getByLabel('Output', { exact: true }).locator('[data-component="text"]')
    await page.getByRole('heading', { name: 'First' }).waitFor()
    await wordInput.fill('kept')

    await writeFile(model, written('Second', '?'))
    await page.getByRole('heading', { name: 'Second' }).waitFor()
    await expect.poll(() => wordInput.inputValue()).toBe('kept')
    await run.click()
    await said.getByText('kept?', { exact: true }).waitFor()

    await writeFile(model, `${written('Third', ';')}\n) this is neither language\n`)
    await page.getByLabel('What it said').getByText('SyntaxError').first().waitFor()
    await expect.poll(() => page.getByRole('heading', { level: 1 }).textContent()).toBe('Second')
    await expect.poll(() => page.getByRole('button', { name: 'Not loaded' }).isDisabled()).toBe(true)
    expect(await wordInput.inputValue()).toBe('kept')

    await writeFile(model, written('Fourth', '.'))
    await page.getByRole('heading', { name: 'Fourth' }).waitFor()
    await expect.poll(() => page.getByLabel('What it said').count()).toBe(0)
    expect(await wordInput.inputValue()).toBe('kept')
    await run.click()
    await said.getByText('kept.', { exact: true }).waitFor()
    await page.context().close()
  })
})

async function folder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'origami-serve-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
