import type { Endpoints } from '@origami/protocol/control'
import Fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { documentRoutes } from '../../src/http/document.ts'
import { endpointsOn } from '../../src/http/endpoints.ts'
import { sendError } from '../../src/http/errors.ts'

const demo = z.object({ name: z.string(), runs: z.int() }).meta({ id: 'EndpointsTestDemo' })
const api = {
  'GET /demos/:id': {
    id: 'getDemo',
    tag: 'Demos',
    summary: 'A demo',
    params: z.object({ id: z.string().regex(/^[a-f]+$/, 'There is no such demo.') }),
    query: z.object({ limit: z.coerce.number().int().max(9).default(3).describe('At most 9') }),
    answers: { 200: { what: 'It', body: demo } },
    refuses: { 404: { what: 'None such' } },
  },
  'POST /demos': {
    id: 'makeDemo',
    tag: 'Demos',
    summary: 'Makes one',
    body: z.strictObject({ demo: z.strictObject({ name: z.string() }).meta({ id: 'EndpointsTestNew' }) }),
    answers: { 201: { what: 'Made', body: demo } },
  },
} as const satisfies Endpoints

async function server() {
  const app = Fastify()
  await documentRoutes(app, { info: { title: 'Test', version: '1' } })
  app.setErrorHandler(sendError)
  const on = endpointsOn(app, api)
  on('GET /demos/:id', async ({ params, query }) => ({ name: params.id, runs: query.limit }))
  on('POST /demos', async ({ body }) => ({ name: body.demo.name, runs: 0 }))
  await app.ready()
  return app
}

describe('endpoints of a table', () => {
  it('get what was sent as their schemas have it, and answer with their own status', async () => {
    await using app = await server()
    expect((await app.inject('/demos/abc')).json()).toEqual({ name: 'abc', runs: 3 })
    expect((await app.inject('/demos/abc?limit=7')).json()).toEqual({ name: 'abc', runs: 7 })
    const made = await app.inject({ method: 'POST', url: '/demos', payload: { demo: { name: 'digits' } } })
    expect([made.statusCode, made.json()]).toEqual([201, { name: 'digits', runs: 0 }])
  })

  it('say which part does not fit; what cannot be in an address is not there', async () => {
    await using app = await server()
    const limit = await app.inject('/demos/abc?limit=70')
    expect([limit.statusCode, limit.json().error]).toEqual([422, 'limit: Too big: expected number to be <=9'])
    const named = await app.inject({ method: 'POST', url: '/demos', payload: { demo: { name: 3 } } })
    expect([named.statusCode, named.json().error]).toEqual([
      422,
      'demo.name: Invalid input: expected string, received number',
    ])
    const missing = await app.inject('/demos/xyz')
    expect([missing.statusCode, missing.json()]).toEqual([404, { error: 'There is no such demo.' }])
  })

  it('are described by the same schemas: one name for what is only sent, none for what nothing refers to', async () => {
    await using app = await server()
    const document = JSON.parse(JSON.stringify(app.swagger()))
    expect(Object.keys(document.components.schemas).toSorted()).toEqual(['EndpointsTestDemo', 'EndpointsTestNew'])
    const { get } = document.paths['/demos/{id}']
    expect(get.parameters.map((one: { name: string; in: string }) => `${one.in} ${one.name}`)).toEqual([
      'query limit',
      'path id',
    ])
    expect(get.responses['200']).toEqual({
      description: 'It',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/EndpointsTestDemo' } } },
    })
    expect(get.responses['404']).toEqual({ description: 'None such' })
  })
})
