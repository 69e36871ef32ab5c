import type { ComponentName } from '@origami/protocol/demo'
import type { Locator } from 'playwright-core'
import { expect } from 'vitest'

/**
 * How one component is tried: over HTTP, and by a person at the page. The model gives it back as the output of its
 * name.
 */
export interface Row {
  /** An input by name; a component that is an output alone is made of another's value. */
  readonly sent: Readonly<Record<string, unknown>>
  /** For a file its text, for a picture the result of `pixelsOf`. */
  readonly output: unknown
  /** A value that the component refuses. */
  readonly refused: unknown
  enter(form: Locator): Promise<void>
  see(output: Locator): Promise<void>
}

/** Six pixels, each of its own colour. */
const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAGElEQVR42mP4z8DAAMFcInL///9nYGAAAD2kBjdWXDjPAAAAAElFTkSuQmCC'
const swatches = { width: 3, height: 2, colours: ['ff0000', '00ff00', '0000ff', '0a141e', 'ffffff', '000000'] }

/** One row for each component of the registry: a new component is a type error here until it has one. */
export const rows: Readonly<Record<ComponentName, Row>> = {
  text: {
    sent: { text: 'naïve “text”' },
    output: 'naïve “text”',
    refused: 'x'.repeat(201),
    enter: (form) => form.getByLabel('Text').pressSequentially("it's typed"),
    see: async (output) => expect(await output.locator('p').textContent()).toBe("it's typed"),
  },
  number: {
    sent: { number: 0.125 },
    output: 0.125,
    refused: '0.125',
    enter: (form) => form.getByLabel('Number').pressSequentially('-2.5'),
    see: async (output) => expect(await output.locator('p').textContent()).toBe('-2.5'),
  },
  slider: {
    sent: { slider: 7 },
    output: 7,
    refused: 11,
    enter: async (form) => {
      const slider = form.getByLabel('Slider')
      await slider.press('End')
      for (const key of ['ArrowLeft', 'ArrowLeft', 'ArrowRight']) await slider.press(key)
    },
    see: async (output) => expect(await output.locator('p').textContent()).toBe('9'),
  },
  checkbox: {
    sent: { checkbox: true },
    output: true,
    refused: 'yes',
    enter: (form) => form.getByLabel('Checkbox').check(),
    see: async (output) => expect(await output.locator('p').textContent()).toBe('Yes'),
  },
  select: {
    sent: { select: 'blue' },
    output: 'blue',
    refused: 'green',
    enter: async (form) => void (await form.getByLabel('Select').selectOption('blue')),
    see: async (output) => expect(await output.locator('p').textContent()).toBe('blue'),
  },
  image: {
    sent: { image: `data:image/png;base64,${png}` },
    output: swatches,
    refused: 'data:text/plain,no%20picture',
    enter: async (form) => {
      await form.getByLabel('Image').evaluate((control, base64) => {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
        const clipboardData = new DataTransfer()
        clipboardData.items.add(new File([bytes], 'swatches.png', { type: 'image/png' }))
        control.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }))
      }, png)
      await form.getByRole('img', { name: 'Image' }).waitFor()
    },
    see: async (output) => expect(await shownPixels(output)).toEqual(swatches),
  },
  sketch: {
    sent: { sketch: `data:image/png;base64,${png}` },
    output: swatches,
    refused: 'data:text/plain,no%20picture',
    enter: async (form) => {
      const paper = form.getByLabel('Sketch: draw here')
      // With more components above it, it is below the visible part of the window.
      await paper.scrollIntoViewIfNeeded()
      const box = await paper.boundingBox()
      if (!box) throw new Error('expected paper to draw on')
      const { mouse } = form.page()
      const middle = box.y + box.height / 2
      await mouse.move(box.x + box.width / 4, middle)
      await mouse.down()
      await mouse.move(box.x + (box.width * 3) / 4, middle, { steps: 5 })
      await mouse.up()
    },
    see: async (output) => {
      const { width, height, colours } = await shownPixels(output)
      const at = (x: number, y: number) => colours[y * width + x]
      expect([width, height]).toEqual([64, 64])
      expect([at(20, 32), at(32, 32), at(44, 32)]).toEqual(['000000', '000000', '000000'])
      expect([at(32, 16), at(32, 48), at(2, 32), at(61, 32)]).toEqual(['ffffff', 'ffffff', 'ffffff', 'ffffff'])
    },
  },
  file: {
    sent: { file: 'data:text/plain,sent%20along' },
    output: 'sent along',
    refused: 'files/0000000000000000/gone.txt',
    enter: (form) =>
      form
        .getByLabel('File')
        .setInputFiles({ name: 'a note.txt', mimeType: 'text/plain', buffer: Buffer.from('chosen by hand') }),
    see: async (output) => {
      const href = await output.getByRole('link').getAttribute('href')
      expect(await (await fetch(new URL(href ?? '', output.page().url()))).text()).toBe('chosen by hand')
    },
  },
  json: {
    sent: { json: { list: [1, null, 'two'], deep: { er: false } } },
    output: { list: [1, null, 'two'], deep: { er: false } },
    refused: JSON.parse('['.repeat(61) + ']'.repeat(61)),
    enter: (form) => form.getByLabel('Json').fill('{"list": [1, null, "two"]}'),
    see: async (output) =>
      expect(JSON.parse((await output.locator('pre').textContent()) ?? '')).toEqual({ list: [1, null, 'two'] }),
  },
  label: {
    sent: { number: 0.25 },
    output: { yes: 0.25, no: 0.75 },
    refused: { yes: 1 },
    enter: (form) => form.getByLabel('Number').fill('0.25'),
    see: async (output) => expect(await output.getByRole('listitem').allTextContents()).toEqual(['no75 %', 'yes25 %']),
  },
  markdown: {
    sent: { text: 'strong' },
    output: '**strong**',
    refused: '**strong**',
    enter: (form) => form.getByLabel('Text').fill('strong'),
    see: (output) => output.locator('strong', { hasText: /^strong$/ }).waitFor(),
  },
}

export interface Pixels {
  readonly width: number
  readonly height: number
  /** The pixels row by row, as `rrggbb`. */
  readonly colours: readonly string[]
}

/** The pixels of the picture at a URL, which do not depend on its encoder. */
export const pixelsOf = (any: Locator, url: string): Promise<Pixels> =>
  any.evaluate(async (_, src) => {
    const picture = new Image()
    picture.src = src
    await picture.decode()
    const { naturalWidth: width, naturalHeight: height } = picture
    const context = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d')
    if (!context) throw new Error('expected a canvas')
    context.drawImage(picture, 0, 0)
    const { data } = context.getImageData(0, 0, width, height)
    const hex = (at: number) =>
      Array.from(data.slice(at * 4, at * 4 + 3), (byte) => byte.toString(16).padStart(2, '0')).join('')
    return { width, height, colours: Array.from({ length: width * height }, (_, at) => hex(at)) }
  }, url)

const shownPixels = async (output: Locator): Promise<Pixels> =>
  pixelsOf(output, (await output.getByRole('img').getAttribute('src')) ?? '')
