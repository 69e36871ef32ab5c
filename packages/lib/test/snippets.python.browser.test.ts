import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newVisitor, startBrowser } from '../../../tests/browser.ts'
import type { Runtime } from '../src/runtime/index.ts'
import { page as built, serve } from './serve-model.ts'

const quoted = `It's "so":\n\tC:\\new, $HOME \`pwd\` %s '''quoted''' “naïve” 🦢 '\\''`
const settings = { "an apostrophe's": ["a 'quote'", 'two\nlines', null, { "'''": '\\u0027' }] }

/** How each snippet is run as printed, and the prediction that it prints. */
const programs = [
  { kind: 'curl', file: 'snippet.sh', program: 'bash', succeeded: printsSnapshot },
  { kind: 'Python', file: 'snippet.py', program: 'python3', succeeded: printsOutput },
  { kind: 'JavaScript', file: 'snippet.mjs', program: process.execPath, succeeded: printsOutput },
]

describe('a snippet of the page, with what is in its form', () => {
  let folder: string
  let browser: Browser
  let runtime: Runtime
  let page: Page
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'origami-snippets-'))
    runtime = await serve('echo.ts', { page: built })
    browser = await startBrowser()
    page = await (await newVisitor(browser)).newPage()
    await page.goto(runtime.url)
    await page.getByLabel('Words').fill(quoted)
    await page.getByLabel('Settings').fill(JSON.stringify(settings))
    const buffer = Buffer.from("paper's bytes")
    await page.getByLabel('Paper').setInputFiles({ name: "it's paper.txt", mimeType: 'text/plain', buffer })
    await page.getByRole('button', { name: 'Remove' }).waitFor()
    await page.getByText('Use by API').click()
  })
  afterAll(async () => {
    await browser?.close()
    await runtime?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  test.each(programs)('runs as printed: $kind', async ({ kind, file, program, succeeded }) => {
    await page.getByRole('button', { name: kind, exact: true }).click()
    const printed = await page.getByLabel(`${kind} snippet`).locator('pre').textContent()
    await writeFile(join(folder, file), `${printed}\n`)
    const { stdout } = await execa(program, [join(folder, file)], { stripFinalNewline: false })
    succeeded(stdout, `${quoted}\n2\nfalse\n${JSON.stringify(settings)}\npaper's bytes`)
  })
})

function printsSnapshot(stdout: string, output: string): void {
  expect(JSON.parse(stdout)).toMatchObject({ status: 'succeeded', output })
}

function printsOutput(stdout: string, output: string): void {
  expect(stdout).toBe(`succeeded ${output}\n`)
}
