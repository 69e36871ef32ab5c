import { sendError } from '@origami/serving'
import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { limitRequests } from '../../src/server/api/limit-requests.ts'
import { defaultLimits } from '../../src/server/config.ts'

test('what an address asks above the limit is refused with when to come again, of pages that are not there too', async () => {
  const app = Fastify()
  app.setErrorHandler(sendError)
  limitRequests(app, { ...defaultLimits, requestsPerMinute: 2 })
  app.get('/', async () => 'here')
  app.get('/-/assets/page.js', async () => 'page')
  const ask = async (url: string, remoteAddress = '203.0.113.1') => {
    const { statusCode, headers } = await app.inject({ url, remoteAddress })
    return [statusCode, headers['ratelimit-remaining'], headers['retry-after']]
  }
  expect(await ask('/')).toEqual([200, '1', undefined])
  expect(await ask('/nothing')).toEqual([404, '0', undefined])
  expect(await ask('/')).toEqual([429, '0', expect.stringMatching(/^[1-9]\d*$/)])
  expect(await ask('/-/assets/page.js')).toEqual([200, undefined, undefined])
  expect(await ask('/-/assets/nothing.js')).toEqual([429, '0', expect.any(String)])
  expect(await ask('/', '203.0.113.2')).toEqual([200, '1', undefined])
  await app.close()
})
