import type { DemoPage } from '@origami/protocol/control'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Person } from './person.ts'
import { World } from './world.ts'

interface Operation {
  operationId: string
  tags: string[]
  security: Record<string, string[]>[]
  parameters?: { name: string; in: string; required?: boolean; example?: string }[]
  requestBody?: { content: Record<string, { schema: unknown; example: unknown }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: unknown }> }>
}
interface Document {
  openapi: string
  servers: { url: string }[]
  tags: { name: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> }
}

const methods = ['get', 'put', 'post', 'patch', 'delete']

describe('the document of the API', () => {
  let world: World
  let ann: Person
  let demo: DemoPage
  let document: Document

  beforeAll(async () => {
    world = await World.start({ engine: 'process' })
    ann = await world.person('ann')
    demo = await ann.deploy(await world.push('tests/demos/gated', 'ann'))
    expect(demo.state, demo.detail?.newest?.reason ?? '').toBe('running')
    document = (await (await fetch(`${world.url}/-/openapi.json`)).json()) as Document
  })
  afterAll(async () => world?.[Symbol.asyncDispose]())

  test('names every route there is, pages and sign-in apart, and no other', () => {
    const made = [...world.routes]
      .filter((route) => !route.startsWith('OPTIONS ') && / \/(-\/api\/|-\/openapi|:account\/:name)/.test(route))
      .map(nameless)
    const described = operations().map(({ method, path }) => nameless(`${method.toUpperCase()} ${path}`))
    expect(made).toContain('POST /-/api/demos/*/*/deploy')
    expect(described.toSorted()).toEqual(made.toSorted())
  })

  test('is OpenAPI 3.1: ids are unique, references lead somewhere, parameters, tags and schemes are declared', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/)
    expect(document.servers).toEqual([{ url: world.url }])
    const ids = operations().map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const [, name = ''] of JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g))
      expect(Object.keys(document.components.schemas).map((key) => `#/components/schemas/${key}`)).toContain(name)
    for (const { path, operation } of operations()) {
      const pathParameters = (operation.parameters ?? []).filter(
        (parameter) => parameter.in === 'path' && parameter.required,
      )
      expect(pathParameters.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? [])
      for (const tag of operation.tags) expect(document.tags.map(({ name }) => name)).toContain(tag)
      for (const scheme of operation.security.flatMap(Object.keys))
        expect(Object.keys(document.components.securitySchemes)).toContain(scheme)
      expect(Object.keys(operation.responses).some((status) => status.startsWith('2'))).toBe(true)
      for (const { description } of Object.values(operation.responses)) expect(description).not.toBe('')
      for (const { schema, example } of Object.values(operation.requestBody?.content ?? {}))
        expect(fits(schema, example), operation.operationId).toBe('it fits')
    }
  })

  test('what is answered is what it says', async () => {
    await answers(ann, 'getSession')
    await answers(new Person(world.url), 'getSession')
    await answers(ann, 'listDemos', 200, { query: '?sort=name' })
    await answers(ann, 'listMyDemos')
    await answers(ann, 'getDemo')
    await answers(ann, 'listAccountDemos')
    await answers(ann, 'listRepositories', 200, { query: `?forge=${world.github.forge.host}` })
    await answers(ann, 'inspectLink', 200, { body: { link: demo.link } })
    await answers(ann, 'makeToken', 201, { body: { name: 'laptop' } })
    await answers(ann, 'listTokens')
    await answers(ann, 'revokeToken')
    await answers(ann, 'changeDemo', 200, { body: { public: true } })
    await answers(ann, 'predict', 200, { body: { input: { word: 'hi' } } })
    await answers(ann, 'predictAs', 200, { body: { input: { word: 'hi' } } })
    await answers(ann, 'getPrediction')
    await answers(ann, 'putFile', 201, { body: 'Hello' })
    await answers(ann, 'listResults')
    await answers(ann, 'getSchema')
    await answers(ann, 'getHealth')
    await answers(ann, 'getDemoIndex')
  })

  test('what is refused is refused in the words it says', async () => {
    const visitor = new Person(world.url)
    await answers(visitor, 'listMyDemos', 401)
    await answers(visitor, 'stopDemo', 404)
    await answers(ann, 'listDemos', 422, { query: '?sort=luck' })
    await answers(ann, 'readLog', 422, { query: '?offset=soon' })
    await answers(ann, 'deployLink', 422, { body: { link: 'file:///etc/passwd' } })
    await answers(ann, 'predict', 422, { body: { input: { nonsense: 1 } } })
    await answers(ann, 'predict', 422, { body: { id: 'short' } })
    await answers(ann, 'cancelPrediction', 404, { id: 'of-nobody' })
  })

  test('what comes of a body that cannot be read, and of an address of before, is told of every endpoint that has them', async () => {
    const json = { 'content-type': 'application/json' }
    const send = (path: string, body: string, headers: Record<string, string>) =>
      ann.fetch(path, { method: 'POST', body, headers, redirect: 'manual' })
    world.configure({ bodyBytes: 100 })
    for (const [path, template] of [
      ['/-/api/tokens', '/-/api/tokens'],
      [`${demo.address}/predictions`, '/{account}/{name}/predictions'],
    ] as const)
      for (const [status, body, headers] of [
        [400, '{', json],
        [413, JSON.stringify({ name: 'x'.repeat(200) }), json],
        [415, '{}', { 'content-type': 'text/plain' }],
        [422, '[]', json],
      ] as const) {
        const answer = await send(path, body, headers)
        expect([path, answer.status]).toEqual([path, status])
        const described = document.paths[template]?.post?.responses[status]
        expect(described?.description, `${status} of ${path}`).toBeTruthy()
        expect(fits(described?.content?.['application/json']?.schema, await answer.json()), path).toBe('it fits')
      }
    world.configure({})
    await ann.call('PATCH /-/api/demos/:account/:name', { params: demo, body: { name: 'renamed' } })
    const [read, change] = [
      await ann.fetch(demo.address, { redirect: 'manual' }),
      await send(`${demo.address}/predictions`, '{}', json),
    ]
    expect(document.paths['/{account}/{name}']?.get?.responses).toHaveProperty(String(read.status))
    expect(document.paths['/{account}/{name}/predictions']?.post?.responses).toHaveProperty(String(change.status))
    expect([read.status, change.status]).toEqual([302, 308])
    const params = { account: demo.account, name: 'renamed' }
    await ann.call('PATCH /-/api/demos/:account/:name', { params, body: { name: demo.name } })
  })

  test('a token of the account page is the bearer that it speaks of', async () => {
    const { token } = await ann.call('POST /-/api/tokens', { body: { name: 'program' } })
    const ask = (authorization: string) => fetch(`${world.url}/-/api/mine`, { headers: { authorization } })
    expect(document.components.securitySchemes.token).toMatchObject({ type: 'http', scheme: 'bearer' })
    expect((await ask(`Bearer ${token}`)).status).toBe(200)
    expect((await ask(`Bearer ${token}x`)).status).toBe(401)
  })

  test('while the daemon is away it says so in the words of an error', async () => {
    await world.killDaemon()
    await answers(ann, 'stopDemo', 503)
    await answers(ann, 'predict', 503, { body: { input: { word: 'hi' } } })
    await answers(ann, 'getSession')
    await world.startDaemon()
  })

  function operations() {
    return Object.entries(document.paths).flatMap(([path, item]) =>
      methods
        .filter((method) => item[method])
        .map((method) => ({ path, item, method, operation: item[method] as Operation })),
    )
  }

  /** Calls the operation on the demo as it is described, and holds the answer against the schema of that status. */
  async function answers(
    who: Person,
    operationId: string,
    status = 200,
    { query = '', body, id }: { query?: string; body?: unknown; id?: string } = {},
  ): Promise<void> {
    const found = operations().find(({ operation }) => operation.operationId === operationId)
    if (!found) throw new Error(`no operation ${operationId}`)
    const { method, operation } = found
    const values: Record<string, string> = { account: demo.account, name: demo.name, ...(id ? { id } : {}) }
    const example = (name: string) =>
      values[name] ?? operation.parameters?.find((one) => one.name === name)?.example ?? ''
    const path = found.path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => example(name))
    const bytes = typeof body === 'string'
    const response = await who.fetch(path + query, {
      method: method.toUpperCase(),
      headers: {
        accept: 'application/json',
        ...(body ? { 'content-type': bytes ? 'text/plain' : 'application/json' } : {}),
      },
      ...(body ? { body: bytes ? body : JSON.stringify(body) } : {}),
    })
    const answer = await response.json()
    expect(response.status, `${operationId}: ${JSON.stringify(answer)}`).toBe(status)
    const described = operation.responses[status] ?? operation.responses.default
    expect(fits(described?.content?.['application/json']?.schema, answer), operationId).toBe('it fits')
  }

  function fits(schema: unknown, value: unknown): string {
    const whole = { ...(schema as object), $defs: document.components.schemas }
    const moved = JSON.parse(JSON.stringify(whole).replaceAll('#/components/schemas/', '#/$defs/'))
    const { error } = z.fromJSONSchema(moved).safeParse(value)
    return error ? `${z.prettifyError(error)} in ${JSON.stringify(value)}` : 'it fits'
  }
})

/** `GET /-/api/demos/:account` and `GET /-/api/demos/{account}` are the same route. */
const nameless = (route: string): string => route.replaceAll(/:\w+|\{\w+\}/g, '*')
