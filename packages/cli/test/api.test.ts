import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { Api } from '../src/api.ts'
import { demoLog } from '../src/demo-log.ts'
import { Failure, Unreachable } from '../src/failure.ts'

describe('a server that is asked', () => {
  let server: Server | undefined
  afterEach(() => server?.closeAllConnections())

  async function apiOf(answer: RequestListener, patienceMs = 60_000): Promise<Api> {
    server = createServer(answer).listen(0, '127.0.0.1').unref()
    await new Promise((listening) => server?.once('listening', listening))
    return new Api(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'token', { patienceMs })
  }

  const says =
    (text: string, status = 200, type = 'application/json'): RequestListener =>
    (_request, response) =>
      response.writeHead(status, { 'content-type': type }).end(text)
  const place = { params: { account: 'ann', name: 'digits' } }
  async function logOf(api: Api): Promise<string[]> {
    const lines: string[] = []
    const { signal } = new AbortController()
    for await (const line of demoLog(api, place.params, { follow: false, signal })) lines.push(line)
    return lines
  }

  test('and never answers is given up, in words', async () => {
    const api = await apiOf(() => {}, 50)
    await expect(api.call('GET /-/api/mine', {})).rejects.toThrow(/gave no answer within 0.05 s/)
    await expect(api.call('POST /-/api/demos/:account/:name/stop', place)).rejects.toThrow(Unreachable)
    await expect(logOf(api)).rejects.toThrow(/gave no answer within 0.05 s/)
  })

  test('and stops in the middle of its answer is given up too', async () => {
    const api = await apiOf((_request, response) => response.writeHead(200).write('{"demos":['), 200)
    await expect(api.call('GET /-/api/mine', {})).rejects.toThrow(/gave no answer within 0.2 s/)
  })

  test.each(['', '{}', '[]', 'null', '{"demos":{}}', '{"demos":[{}]}'])(
    'and says %j is none of ours: nothing is said to be done, and there is no stack',
    async (text) => {
      const api = await apiOf(says(text))
      for (const asking of [
        api.call('GET /-/api/mine', {}),
        api.call('POST /-/api/demos/:account/:name/stop', place),
        api.call('POST /-/api/device', {}),
        logOf(api),
      ])
        await expect(asking).rejects.toThrow(/answers as no Origami does; ORIGAMI_URL or origami login <server>/)
    },
  )

  test("and shows a page where a log should be is none of ours: the page is no demo's log", async () => {
    await expect(logOf(await apiOf(says('<h1>Welcome</h1>', 200, 'text/html')))).rejects.toThrow(Failure)
  })

  test('and made a mistake of its own says under which id its log has it', async () => {
    const api = await apiOf(says('{"error":"Something went wrong here.","id":"req-7"}', 500))
    await expect(api.call('GET /-/api/mine', {})).rejects.toThrow('Something went wrong here. (req-7)')
  })
})
