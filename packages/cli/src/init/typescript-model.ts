import type { Choices } from './choices.ts'

const fields = {
  text: { name: 'words', example: "'What a day'", measure: 'words.length' },
  number: { name: 'number', example: '4', measure: 'number' },
  image: { name: 'picture', example: "'example.png'", measure: '(await picture.bytes()).length' },
  file: { name: 'document', example: "'example.txt'", measure: '(await document.bytes()).length' },
} as const

const beside = (file: string) => `return { path: fileURLToPath(new URL('${file}', import.meta.url)) }`

const results = {
  label: (size: string) => `const share = 1 / (1 + Math.abs(${size}))\n    return { small: share, large: 1 - share }`,
  text: (size: string) => `return \`Its size is \${${size}}.\``,
  number: (size: string) => `return ${size}`,
  json: (size: string) => `return { size: ${size} }`,
  image: () => beside('example.png'),
  file: () => beside('example.txt'),
} as const

/** The text of `model.ts`: a function with the fields that define its page. */
export function typescriptModel({ input, output, title }: Choices): string {
  const { name, example, measure } = fields[input]
  const same = input === output && (input === 'image' || input === 'file')
  const body = same ? `return { path: ${name}.path, name: ${name}.name, type: ${name}.type }` : results[output](measure)
  const builders = [...new Set(['demo', input, output])].toSorted().join(', ')
  const node = body.includes('fileURLToPath') ? "import { fileURLToPath } from 'node:url'\n" : ''
  const unused = body.includes(name) ? `{ ${name} }` : ''
  return `${node}import { ${builders} } from 'origami-lib'

export default demo({
  title: ${JSON.stringify(title)},
  description: 'What your model does.',
  inputs: { ${name}: ${input}() },
  outputs: { result: ${output}() },
  // Load your weights here: it runs once, before the first prediction.
  async setup() {},
  async predict(${unused}) {
    ${body}
  },
  examples: [{ ${name}: ${example} }],
})
`
}
