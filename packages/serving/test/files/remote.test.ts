import dns from 'node:dns'
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fetchPublic } from '../../src/files/remote.ts'

describe('what a URL names is fetched', () => {
  const asked: string[] = []
  let server: Server
  let port: number
  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request.url ?? '')
      if (request.url === '/moved') response.writeHead(302, { location: '/there' }).end()
      else if (request.url === '/dripping') drip(response)
      else if (request.url?.startsWith('/there')) response.writeHead(200, { 'content-type': 'text/plain' }).end('bytes')
      else response.writeHead(404).end()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  test.each([
    '127.0.0.1',
    '127.1.2.3',
    'localhost',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::]',
    '0.0.0.0',
    '2130706433',
    '0x7f.1',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.169.254',
    '[fd00:ec2::254]',
    '[fe80::1]',
    '224.0.0.1',
    '255.255.255.255',
    // The same addresses, as other ways to write or to carry them have it.
    '0177.0.0.1',
    '127.1',
    '[::127.0.0.1]',
    '[::10.0.0.1]',
    '[::5efe:7f00:1]',
    '[::ffff:0:127.0.0.1]',
    '[::ffff:169.254.169.254]',
    '[64:ff9b::127.0.0.1]',
    '[64:ff9b:1::127.0.0.1]',
    '[2002:7f00:1::]',
    '[2001:0:7f00:1::]',
    '[fec0::1]',
    '[1::1]',
    '[4000::1]',
  ])('not from %s', async (host) => {
    await expect(fetchPublic(new URL(`http://${host}:${port}/there`))).rejects.toThrow('is not a public address')
    expect(asked).toEqual([])
  })

  test.each([
    ['EAI_AGAIN', 'the address of nobody.invalid cannot be looked up at the moment (EAI_AGAIN): try again'],
    ['EMFILE', 'the address of nobody.invalid cannot be looked up at the moment (EMFILE): try again'],
    ['ENOTFOUND', 'nobody.invalid has no address'],
    ['EINVAL', 'nobody.invalid has no address'],
  ])('not from a name whose lookup fails with %s, and whether to try again is said', async (code, message) => {
    const { lookup } = dns.promises
    const failing = async () => {
      throw Object.assign(new Error(`getaddrinfo ${code}`), { code })
    }
    Object.assign(dns.promises, { lookup: failing })
    syncBuiltinESMExports()
    try {
      await expect(fetchPublic(new URL('http://nobody.invalid/'))).rejects.toThrow(message)
    } finally {
      Object.assign(dns.promises, { lookup })
      syncBuiltinESMExports()
    }
  })

  describe('where the network is allowed', () => {
    const fetched = (path: string) =>
      fetchPublic(new URL(`http://127.0.0.1:${port}${path}`), ['10.0.0.0/8', '127.0.0.0/8'])

    test('with its name and type', async () => {
      const { name, type, bytes } = await fetched('/there/seven%20of%20nine.png?size=2')
      expect([name, type, await text(bytes)]).toEqual(['seven of nine.png', 'text/plain', 'bytes'])
    })

    test('but no redirect is followed, and an error is an error', async () => {
      await expect(fetched('/moved')).rejects.toThrow(`127.0.0.1:${port} answered 302`)
      await expect(fetched('/nothing')).rejects.toThrow('answered 404')
      expect(asked.slice(1)).toEqual(['/moved', '/nothing'])
    })

    test('until its deadline, or until who asked leaves, however slowly it comes', async () => {
      const url = new URL(`http://127.0.0.1:${port}/dripping`)
      const late = await fetchPublic(url, ['127.0.0.0/8'], { deadlineMs: 300 })
      await expect(text(late.bytes)).rejects.toThrow(`127.0.0.1:${port} took longer than 0.3 s`)
      const leaving = new AbortController()
      const left = await fetchPublic(url, ['127.0.0.0/8'], { signal: leaving.signal })
      const reading = text(left.bytes)
      leaving.abort(new Error('who asked has left'))
      await expect(reading).rejects.toThrow('who asked has left')
    })

    test('and no other network is', async () => {
      await expect(fetchPublic(new URL('http://192.168.0.1/'), ['10.0.0.0/8'])).rejects.toThrow(
        'is not a public address',
      )
      await expect(fetchPublic(new URL('http://[::1]/'), ['127.0.0.0/8'])).rejects.toThrow('is not a public address')
    })
  })
})

/** Sends a byte now and then and never ends. */
function drip(response: ServerResponse): void {
  response.writeHead(200).write('.')
  const dripping = setInterval(() => response.write('.'), 50)
  response.once('close', () => clearInterval(dripping))
}
