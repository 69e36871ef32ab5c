import type { Endpoints } from '@origami/protocol/control'
import Fastify from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { endpointsOn } from '../../src/http/endpoints.ts'
import { limitJson, sendError } from '../../src/index.ts'

const api = {
  'POST /demos': {
    id: 'make',
    tag: 'Demos',
    summary: 'Makes one',
    body: z.union([
      z.strictObject({ link: z.string(), name: z.string().optional() }),
      z.strictObject({ url: z.string(), name: z.string().optional() }),
    ]),
    answers: { 200: { what: 'Made', body: z.object({}) } },
  },
} as const satisfies Endpoints

const app = Fastify()
beforeAll(async () => {
  app.setErrorHandler(sendError)
  limitJson(app, { bytes: () => 1024 ** 2 })
  endpointsOn(app, api)('POST /demos', async () => ({}))
  await app.ready()
})
afterAll(() => app.close())

async function refused(payload: string, type = 'application/json') {
  const answer = await app.inject({ method: 'POST', url: '/demos', payload, headers: { 'content-type': type } })
  return [answer.statusCode, answer.json().error]
}

test.each([
  [
    '{}',
    'link: Invalid input: expected string, received undefined, or url: Invalid input: expected string, received undefined',
  ],
  ['null', 'the body: Invalid input: expected object, received null'],
  ['[]', 'the body: Invalid input: expected object, received array'],
  ['{"link":null}', 'link: Invalid input: expected string, received null'],
  ['{"link":"x","url":"y"}', 'the body: Unrecognized key: "url", or the body: Unrecognized key: "link"'],
  ['{"link":"x","name":5}', 'name: Invalid input: expected string, received number'],
])('of a body that may be one of two, %s is refused by the names of its parts', async (body, message) => {
  expect(await refused(body)).toEqual([422, message])
})

test('a refusal does not grow with what was sent', async () => {
  const [status, message] = await refused(JSON.stringify({ link: 'x', ['k'.repeat(100_000)]: 1 }))
  expect([status, message.length]).toEqual([422, 500])
})

test.each(['text/plain', 'application/x-www-form-urlencoded', 'nonsense', 'text/plain;charset=UTF-8'])(
  'a body of %s is refused by what was expected and what came',
  async (type) => {
    expect(await refused('{"link":"x"}', type)).toEqual([
      415,
      `expected content-type: application/json, or of a file its own; got ${type}`,
    ])
  },
)
