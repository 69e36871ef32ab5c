import { componentOf, type DemoSchema, type Input, type Problem, parseFileRef } from '@origami/protocol/demo'
import type { Files } from '../predictor.ts'

/**
 * The problems of the files of a validated input: a file is missing, too large, or not an image where an image is
 * expected.
 */
export async function checkFiles(schema: DemoSchema, input: Input, files: Files): Promise<Problem[]> {
  const problems: Problem[] = []
  for (const { name: field, component, options } of schema.inputs) {
    const { file: accept } = componentOf(component)
    const value = input[field]
    if (accept === undefined || typeof value !== 'string' || value.startsWith('data:')) continue
    const ref = parseFileRef(value)?.ref
    const found = ref && (await files.open(ref))
    const limit = (options as { maxBytes?: number }).maxBytes
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
  }
  return problems
}

/** Whether a component accepts a media type. `image/*` accepts all types that begin with `image/`. */
const isOf = (accept: string, type: string): boolean =>
  accept === '*/*' || (accept.endsWith('/*') ? type.startsWith(accept.slice(0, -1)) : type === accept)

/** The kind in words, such as `an image`. */
function kindOf(accept: string): string {
  const [kind = ''] = accept.split('/')
  return `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`
}
