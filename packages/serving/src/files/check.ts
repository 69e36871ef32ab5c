import { componentOf, type DemoSchema, type Input, type Problem, parseFileRef } from '@origami/protocol/demo'
import type { Files, OpenFile } from '../predictor.ts'
import { imageSize } from './image-size.ts'

/** So many pixels may a picture have whose component says nothing: decoded they take 256 MB, four bytes each. */
const usualPixels = 64_000_000
/** How much of a picture is read for its size: little is enough for most, and some have long texts before it. */
const headerBytes = [64 * 1024, 4 * 1024 ** 2]

/**
 * The problems of the files of a validated input: a file is missing, too large, or not an image where an image is
 * expected, or an image that would fill the memory once it is decoded.
 */
export async function checkFiles(schema: DemoSchema, input: Input, files: Files): Promise<Problem[]> {
  const problems: Problem[] = []
  for (const { name: field, component, options } of schema.inputs) {
    const { file: accept } = componentOf(component)
    const value = input[field]
    if (accept === undefined || typeof value !== 'string' || value.startsWith('data:')) continue
    const ref = parseFileRef(value)?.ref
    const found = ref && (await files.open(ref))
    const { maxBytes: limit, maxPixels } = options as { maxBytes?: number; maxPixels?: number }
    if (!found)
      problems.push({
        field,
        type: 'value_error',
        message: 'expected an uploaded file, got a reference to one that is not there (any more)',
      })
    else if (!isOf(accept, found.type))
      problems.push({ field, type: 'value_error', message: `expected ${kindOf(accept)}, got ${found.type}` })
    else if (limit !== undefined && found.size > limit)
      problems.push({
        field,
        type: 'value_error.too_large',
        message: `expected a file of at most ${limit} bytes, got ${found.size}`,
      })
    else if (accept === 'image/*') problems.push(...(await pixelProblems(field, found, maxPixels)))
  }
  return problems
}

async function pixelProblems(field: string, image: OpenFile, most = usualPixels): Promise<Problem[]> {
  const size = await sizeOf(image)
  if (!size || size.width * size.height <= most) return []
  const message = `expected an image of at most ${most} pixels, got ${size.width} × ${size.height}`
  return [{ field, type: 'value_error', message }]
}

async function sizeOf(image: OpenFile) {
  for (const [index, most] of headerBytes.entries()) {
    if (index > 0 && image.size <= (headerBytes[index - 1] ?? 0)) return undefined
    const parts: Uint8Array[] = []
    for await (const part of image.bytes(0, Math.min(most, image.size))) parts.push(part)
    const size = imageSize(Buffer.concat(parts))
    if (size) return size
  }
  return undefined
}

/** Whether a component accepts a media type. `image/*` accepts all types that begin with `image/`. */
const isOf = (accept: string, type: string): boolean =>
  accept === '*/*' || (accept.endsWith('/*') ? type.startsWith(accept.slice(0, -1)) : type === accept)

/** The kind in words, such as `an image`. */
function kindOf(accept: string): string {
  const [kind = ''] = accept.split('/')
  return `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`
}
