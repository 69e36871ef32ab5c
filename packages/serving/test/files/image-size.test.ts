import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DemoSchema } from '@origami/protocol/demo'
import { expect, test } from 'vitest'
import { imageSize } from '../../src/files/image-size.ts'
import { checkFiles, FolderFiles } from '../../src/index.ts'

/** What Pillow 13 wrote for a picture of 300 × 7 pixels, to behind its size. */
const headers = [
  ['PNG', 'iVBORw0KGgoAAAANSUhEUgAAASwAAAAHCAIAAAA9A+c='],
  [
    'JPEG',
    '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAx' +
      'NDQ0Hyc5PTgyPC4zNDL/2wBDAQkJCQwLDBgNDRgyIRwhMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIy' +
      'MjIyMjIyMjL/wAARCAAHASwDASIAAhEBAxEB/w==',
  ],
  [
    'JPEG with a text before it',
    '/9j/4AAQSkZJRgABAQAAAQABAAD/4QDaRXhpZgAASUkqAAgAAAAAAHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4' +
      'eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4' +
      'eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4' +
      'eHh4eHh4eHh4eHh4eHh4/9sAQwAIBgYHBgUIBwcHCQkICgwUDQwLCwwZEhMPFB0aHx4dGhwcICQuJyAiLCMcHCg3KSwwMTQ0NB8n' +
      'OT04MjwuMzQy/9sAQwEJCQkMCwwYDQ0YMiEcITIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIy' +
      'MjIy/8IAEQgABwEsAwEiAAIRAQMRAf8=',
  ],
  ['GIF', 'R0lGODdhLAEHAIEAAMgeKA=='],
  ['BMP', 'Qk1WAQAAAAAAAD4AAAAoAAAALAEAAAcAAAABAAEAAAA='],
  ['WebP, lossy', 'UklGRkgAAABXRUJQVlA4IDwAAACwAwCdASosAQcAPzmcyV4vKyikoQ=='],
  ['WebP, lossless', 'UklGRiQAAABXRUJQVlA4TBcAAAAvK4EBAAdQjyIXpf8='],
  ['WebP, extended', 'UklGRkgAAABXRUJQVlA4WAoAAAAIAAAAKwEABgAAVlA4TBcAAAAvKw=='],
  [
    'TIFF',
    'SUkqABYAAADbANsA2wDbANsA2wDbAAkAAAEDAAEAAAAsAQAAAQEDAAEAAAAHAAAAAgEDAAEAAAABAAAAAwEDAAEAAAAFgAAABgED' +
      'AAEAAAABAAAAEQEEAAEAAAAIAAAAFgEDAAEAAAAHAAAAFwEEAAEAAAAOAAAAHAEDAAEAAAABAAAAAAAAAA==',
  ],
  [
    'AVIF',
    'AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAA' +
      'AAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAALwAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAAAAEA' +
      'AGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAABLAAAAAcAAAAQcGl4aQAAAAADCAgIAAAADGF2MUOBAAwA' +
      'AAAAE2M=',
  ],
] as const

test.each(headers)('the size of a picture is read from its header: %s', (_kind, header) => {
  expect(imageSize(Buffer.from(header, 'base64'))).toEqual({ width: 300, height: 7 })
})

test.each(headers)('of a picture that is cut off no size is read, and nothing fails: %s', (_kind, header) => {
  const whole = Buffer.from(header, 'base64')
  for (let length = 0; length < 10; length += 1) expect(imageSize(whole.subarray(0, length))).toBeUndefined()
})

const schema = (options: Record<string, unknown>): DemoSchema => ({
  api: 1,
  title: 'Pictures',
  description: '',
  inputs: [{ name: 'photo', label: 'photo', component: 'image', options, required: true }],
  outputs: [],
  examples: [],
  streaming: false,
  concurrency: 1,
})

test('a picture that would fill the memory once it is decoded is refused before, by what its component says', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'origami-pictures-'))
  try {
    const files = new FolderFiles(folder, { maxFileBytes: () => 1024 })
    const put = async (id: string, width: number, height: number) => {
      const bomb = Buffer.from(headers[0][1], 'base64')
      bomb.writeUInt32BE(width, 16)
      bomb.writeUInt32BE(height, 20)
      return files.put(
        id,
        'photo.png',
        'image/png',
        (async function* () {
          yield bomb
        })(),
      )
    }
    const large = await put('0123456789abcdef', 14_000, 12_000)
    const message = 'expected an image of at most 64000000 pixels, got 14000 × 12000'
    const problem = [{ field: 'photo', type: 'value_error', message }]
    expect(await checkFiles(schema({}), { photo: large }, files)).toEqual(problem)
    expect(await checkFiles(schema({ maxPixels: 168_000_000 }), { photo: large }, files)).toEqual([])
    const small = await put('fedcba9876543210', 8_000, 8_000)
    expect(await checkFiles(schema({}), { photo: small }, files)).toEqual([])
    expect(await checkFiles(schema({ maxPixels: 63_999_999 }), { photo: small }, files)).toHaveLength(1)
  } finally {
    await rm(folder, { recursive: true })
  }
})
