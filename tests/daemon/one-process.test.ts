import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { join } from 'node:path'
import { newPredictionId } from '@origami/protocol/demo'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultLimits } from '../../packages/web/src/server/config.ts'
import { DaemonClient } from '../../packages/web/src/server/daemon-client.ts'
import { DaemonYard } from './yard.ts'

const requests: string[] = []
const note = (message: unknown) => {
  const { origin, method, path } = (message as { request: { origin: string; method: string; path: string } }).request
  requests.push(`${method} ${origin}${path}`)
}
beforeEach(() => {
  requests.length = 0
  subscribe('undici:request:create', note)
})
afterEach(() => void unsubscribe('undici:request:create', note))

test.each(['this process', 'another process'])(
  'predictions go to a daemon in %s over one link, also after it broke',
  async (place) => {
    await using yard = await DaemonYard.open()
    const { demo } = await yard.deploy('within')
    const { url, link } = yard.running
    const tls = (name: string) => join(yard.folder, 'web/tls', name)
    const daemon = { url, tls: { ca: tls('ca.pem'), cert: tls('cert.pem'), key: tls('key.pem') } }
    const isWithin = place === 'this process'
    await using client = await DaemonClient.open(daemon, defaultLimits, isWithin ? link : undefined)
    const opened = () => requests.filter((request) => request === `GET ${url}/link`).length
    requests.length = 0
    const submit = (word: string) =>
      client.predictor(demo, undefined).submit({ id: newPredictionId(), input: { word }, follow: 'end' })
    for (const word of ['a', 'b'])
      expect(await (await submit(word)).ended?.()).toMatchObject({ status: 'succeeded', output: `${word}, version 1` })
    expect(opened()).toBe(isWithin ? 0 : 1)
    expect(requests.filter((request) => request.startsWith(`POST ${url}`) || request.startsWith(`PUT ${url}`))).toEqual(
      [],
    )
    await client.reconnect()
    expect(await (await submit('c')).ended?.()).toMatchObject({ status: 'succeeded' })
    expect(opened()).toBe(isWithin ? 0 : 2)
  },
)
