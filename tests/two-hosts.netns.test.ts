import { describe, expect, test } from 'vitest'
import { placeOf } from './person.ts'
import { cutAndJoin, TwoHosts } from './two-hosts.ts'

describe('a daemon on another host', () => {
  test('deploys, is visited, and its log is read; a link that is cut for a while loses nothing, and pages say what is so', async () => {
    await using hosts = await TwoHosts.open({
      web: ['silence=2s', 'keep_alive=500ms', 'daemon_answer=2s'],
      daemon: ['keep_alive=500ms'],
    })
    const address = await hosts.deploy(await hosts.push('visited'))
    await hosts.runs(address)
    const { id } = await hosts.submit(address, { word: 'hello' })
    expect((await hosts.prediction(address, id, 'succeeded')).output).toBe('hello, version 1')
    const log = await hosts.api.send('GET /-/api/demos/:account/:name/logs', { params: placeOf(address) })
    expect(await log.text()).toContain('deploy Live')
    await cutAndJoin(hosts, async () => {})
  })
})
