import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type ApiDocument,
  type Operation,
  operationsOf,
  operationTitle,
  schemaName,
} from '../../../src/ui/pages/docs/api-document.ts'
import { curl, type ExampleDemo, sampleInput } from '../../../src/ui/pages/docs/curl.ts'

const demo: ExampleDemo = { account: 'ann', name: 'digits', public: true, input: { word: 'Hello' } }
const operation = (changes: Partial<Operation> = {}): Operation => ({
  operationId: 'x',
  tags: [],
  summary: '',
  'x-origami-who': 'Everybody',
  security: [{}],
  parameters: [],
  responses: {},
  method: 'get',
  path: '/{account}/{name}',
  ...changes,
})
const body = (example: unknown, type = 'application/json') => ({ content: { [type]: { schema: {}, example } } })
const line = (changes?: Partial<Operation>, shown = demo) => curl('https://demos.org', operation(changes), shown)

describe('a line for curl', () => {
  test.each([
    ['get', undefined, ''],
    ['post', body({}), ''],
    ['post', undefined, ' \\\n  -X POST'],
    ['put', body({}), ' \\\n  -X PUT'],
    ['delete', undefined, ' \\\n  -X DELETE'],
  ])('names the method where curl would take another: %s', (method, requestBody, named) => {
    expect(line({ method, ...(requestBody ? { requestBody } : {}) })).toMatch(
      new RegExp(`^curl https://demos.org/ann/digits${named.replaceAll('\\', '\\\\')}(?! \\\\\\n  -X)`),
    )
  })

  test('has a token where one is needed, by its name in the environment', () => {
    const header = '-H "Authorization: Bearer $ORIGAMI_TOKEN"'
    expect(line({ security: [{ token: [] }] })).toContain(header)
    expect(line({ security: [{ token: [] }, {}] })).not.toContain(header)
    expect(line({}, { ...demo, public: false })).toContain(header)
    expect(line({ path: '/-/api/demos' }, { ...demo, public: false })).not.toContain(header)
  })

  test('does not wait for the end of a stream', () => {
    const streamed = { 200: { description: '', content: { 'text/event-stream': { schema: {} } } } }
    expect(line({ responses: streamed })).toMatch(/^curl -N /)
    expect(line({ responses: { 204: { description: '' } } })).toMatch(/^curl https/)
  })

  test('fills in its path: the demo, what the operation says, what the parameter says, else its name', () => {
    const parameters = [{ name: 'id', in: 'path' as const, example: 'abc', schema: {} }]
    expect(line({ path: '/{account}/{id}/{file}/{other}', parameters, 'x-origami-example': { file: 'a.png' } })).toBe(
      'curl https://demos.org/ann/abc/a.png/other',
    )
  })

  test('sends the input of the demo at hand, and another body as it is', () => {
    expect(line({ method: 'post', requestBody: body({ input: {}, webhook: 'x' }) })).toContain(
      `-d '{"input":{"word":"Hello"},"webhook":"x"}'`,
    )
    expect(line({ method: 'put', requestBody: body('some text', '*/*') })).toMatch(
      /-H 'content-type: text\/plain' \\\n {2}-d 'some text'$/,
    )
  })

  test('sends what its schema asks for where a body has no example', () => {
    const schema = { type: 'object', properties: { login: { type: 'string' } }, required: ['login'] }
    const without = (type: string, of: object) =>
      line({ method: 'post', requestBody: { content: { [type]: { schema: of } } } })
    expect(without('application/json', schema)).toMatch(/-d '{"login":"Hello"}'$/)
    expect(without('application/json', {})).toMatch(/-d '{}'$/)
    expect(without('*/*', {})).toMatch(/-d 'Hello'$/)
  })

  test('hands a shell its body as it is, whatever stands in it', async () => {
    const input = fc.dictionary(fc.string(), fc.string({ unit: 'grapheme' }), { maxKeys: 2 })
    await fc.assert(
      fc.asyncProperty(input, async (written) => {
        fc.pre(!JSON.stringify(written).includes('\\u0000'))
        const made = line({ method: 'post', requestBody: body({ input: {} }) }, { ...demo, input: written })
        const printed = `curl() { shift; for last in "$@"; do :; done; printf %s "$last"; }\n${made}`
        const { stdout } = await promisify(execFile)('/bin/sh', ['-c', printed])
        expect(stdout).toBe(JSON.stringify({ input: written }))
      }),
      { numRuns: 20 },
    )
  })
})

describe('a sample of an input', () => {
  test('has what is required, by its default, its choices, its kind', () => {
    const properties = {
      style: { enum: ['a', 'b'] },
      heat: { type: 'number', minimum: 0 },
      count: { type: 'integer', default: 3 },
      size: { type: 'integer' },
      loud: { type: 'boolean', default: false },
      quiet: { type: 'boolean' },
      picture: { type: 'string', format: 'uri' },
      word: { type: 'string' },
      more: { type: 'string' },
    }
    const required = Object.keys(properties).filter((name) => name !== 'more')
    expect(sampleInput({ properties, required: [...required, 'unknown'] })).toEqual({
      style: 'a',
      heat: 0,
      count: 3,
      size: 1,
      loud: false,
      quiet: true,
      picture: 'data:text/plain,Hello',
      word: 'Hello',
      unknown: 'Hello',
    })
    expect(sampleInput({})).toEqual({})
  })
})

describe('the document', () => {
  const described = (tags: string[], name = 'x') => ({
    ...operation({ operationId: name, tags }),
    parameters: undefined,
  })
  const id = { name: 'id', in: 'path' as const, schema: {} }
  const api: ApiDocument = {
    info: { title: '', description: '' },
    servers: [],
    tags: [],
    components: { schemas: {}, securitySchemes: {} },
    paths: {
      '/b': { delete: described(['Demos'], 'removeB'), get: described(['Demos'], 'getB'), summary: 'not an operation' },
      '/a/{id}': {
        parameters: [id],
        get: { ...described(['Demos', 'Runs'], 'getA'), parameters: [{ ...id, name: 'q' }] },
      },
    },
  }

  test('has the operations of a tag in the order of its paths, each with the parameters of its path', () => {
    const found = operationsOf(api, 'Demos')
    expect(found.map(({ method, path, operationId }) => `${method} ${path} ${operationId}`)).toEqual([
      'get /b getB',
      'delete /b removeB',
      'get /a/{id} getA',
    ])
    expect(found.map(({ parameters }) => parameters.map(({ name }) => name))).toEqual([[], [], ['id', 'q']])
    expect(operationsOf(api, 'Runs')).toHaveLength(1)
    expect(operationsOf(api, 'None')).toEqual([])
  })

  test('is read by people', () => {
    expect([operationTitle('listDemos'), operationTitle('x'), schemaName('#/components/schemas/Demo')]).toEqual([
      'List demos',
      'X',
      'Demo',
    ])
  })
})
