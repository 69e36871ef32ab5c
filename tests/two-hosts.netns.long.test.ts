import { setTimeout } from 'node:timers/promises'
import { test } from 'vitest'
import { cutAndJoin, TwoHosts } from './two-hosts.ts'

test('a link that is cut for a whole minute, under the limits as they come, loses nothing', async () => {
  await using hosts = await TwoHosts.open({ web: [], daemon: [] })
  await cutAndJoin(hosts, () => setTimeout(60_000))
}, 300_000)
