import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ComponentName, componentNames, componentOf } from '@origami/protocol/demo'
import { execa } from 'execa'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newVisitor, startBrowser } from '../../../tests/browser.ts'
import type { Runtime } from '../src/runtime/index.ts'
import { pixelsOf, type Row, rows } from './component-rows.ts'
import { type Python, pythonWithPillow } from './pillow.ts'
import { page as built, post, serve } from './serve-model.ts'

let python: Python
let browser: Browser
beforeAll(async () => {
  python = await pythonWithPillow()
  browser = await startBrowser()
}, 180_000)
afterAll(async () => {
  await browser?.close()
  await python?.[Symbol.asyncDispose]()
})

test('every component has a row, and no row is of another', () => {
  expect(Object.keys(rows).toSorted()).toEqual(componentNames.toSorted())
})

describe.each(['every.ts', 'every.py'])('of %s', (model) => {
  let runtime: Runtime
  let page: Page
  beforeAll(async () => {
    runtime = await serve(model, { python: python.program, page: built })
    expect(await runtime.predictor.health()).toMatchObject({ status: 'READY', setup: { status: 'succeeded' } })
    page = await (await newVisitor(browser)).newPage()
    await page.goto(runtime.url)
  })
  afterAll(async () => {
    await page?.context().close()
    await runtime?.[Symbol.asyncDispose]()
  })

  test('all components are there', async () => {
    const { inputs, outputs } = await runtime.predictor.schema()
    const inputNames = componentNames.filter((name) => componentOf(name).input)
    expect(inputs.map(({ name, component }) => [name, component])).toEqual(inputNames.map((name) => [name, name]))
    const outputNames = componentNames.filter((name) => componentOf(name).output)
    expect(outputs.map(({ name }) => name)).toEqual(componentNames)
    expect(outputs.filter(({ name, component }) => name === component).map(({ name }) => name)).toEqual(outputNames)
  })

  test.each(componentNames)('%s goes in and comes out over HTTP', async (name) => {
    const { sent, output } = row(name)
    const { status, body } = await post(runtime.url, sent)
    expect([status, body.status, body.error]).toEqual([200, 'succeeded', null])
    expect(await readable(name, (body.output as Record<string, unknown>)[name])).toEqual(output)
  })

  test('a small file with many pixels is refused before the model has it', async () => {
    const bomb = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAASwAAAAHCAIAAAA9A+djAAAAM0lEQVQ=', 'base64')
    for (const at of [16, 20]) bomb.writeUInt32BE(30_000, at)
    const { status, body } = await post(runtime.url, { image: `data:image/png;base64,${bomb.toString('base64')}` })
    const msg = 'expected an image of at most 64000000 pixels, got 30000 × 30000'
    expect([status, body]).toEqual([422, { detail: [{ loc: ['body', 'input', 'image'], msg, type: 'value_error' }] }])
  })

  test.each(componentNames)('%s is refused at its field', async (name) => {
    const { status, body } = await post(runtime.url, { [name]: row(name).refused })
    expect(status).toBe(422)
    const { detail } = body as unknown as { detail: { loc: string[]; msg: string }[] }
    expect(detail.map(({ loc }) => loc)).toEqual([['body', 'input', name]])
    expect(detail[0]?.msg).toMatch(componentOf(name).input ? /^expected / : /^unknown field/)
  })

  test.each(componentNames)('%s is put in by a person and shown', async (name) => {
    await page.evaluate(() => sessionStorage.clear())
    await page.goto(`${runtime.url}/?${name}`)
    await row(name).enter(page.getByRole('form', { name: 'Input' }))
    await page.getByRole('button', { name: /^Run/ }).click()
    await page.getByRole('link', { name: 'permalink' }).waitFor()
    const heading = page.getByRole('heading', { name: new RegExp(`^${name}$`, 'i') })
    await row(name).see(page.getByLabel('Output', { exact: true }).locator('[data-component]').filter({ has: heading }))
  })

  /** An output with its files read. Pictures are compared by their pixels, because encoders differ. */
  async function readable(name: ComponentName, value: unknown): Promise<unknown> {
    const { file } = componentOf(name)
    if (file === undefined) return value
    return file === 'image/*' ? pixelsOf(page.locator('body'), String(value)) : (await fetch(String(value))).text()
  }
})

function row(name: ComponentName): Row {
  const found = rows[name]
  if (!found) throw new Error(`expected a row for ${name}`)
  return found
}

const decodes = `
import sys
from PIL import Image as Pillow
from origami.components import Image
path = sys.argv[1]
Pillow.new("1", (9000, 8000)).save(path)
for component in (Image(), Image(max_pixels=72_000_000)):
    try:
        print(component.read({"path": path}, None).size)
    except ValueError as error:
        print(error)
`

test('in Python a picture is measured before it is decoded, whatever its kind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'origami-pixels-'))
  try {
    const env = { PYTHONPATH: join(import.meta.dirname, '../python') }
    const { stdout } = await execa(python.program, ['-c', decodes, join(folder, 'large.png')], { env })
    expect(stdout.split('\n')).toEqual([
      'expected an image of at most 64000000 pixels, got 9000 × 8000',
      '(9000, 8000)',
    ])
  } finally {
    await rm(folder, { recursive: true })
  }
})
