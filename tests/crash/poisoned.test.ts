import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeploymentState } from '@origami/protocol/control'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { World } from '../world.ts'

const model = 'tests/demos/gated'
let world: World
beforeAll(async () => {
  world = await World.start({ engine: 'process' })
})
afterAll(async () => world[Symbol.asyncDispose]())

test('a deployment that takes the daemon down three times ends as poisoned, and its demo goes on', async () => {
  const ann = await world.person('ann')
  const source = await readFile(join(import.meta.dirname, '../demos/gated/model.ts'), 'utf8')
  const first = await ann.deploy(await world.push(model, 'ann'))
  expect(first.state, first.detail?.newest?.reason ?? '').toBe('running')
  const said = async (word: string) => {
    const { id } = await ann.submit(first.address, { word })
    return (await ann.prediction(first.address, id)).output
  }
  const newest = (state: DeploymentState) =>
    vi.waitFor(
      async () => {
        const { detail } = await ann.page(first.address)
        expect(detail?.newest?.state, detail?.newest?.reason ?? '').toBe(state)
        return detail?.newest
      },
      { timeout: 60_000, interval: 100 },
    )

  const endless = source.replace('async predict', 'setup: () => new Promise(() => {}),\n  async predict')
  await world.push(model, 'ann', { files: { 'model.ts': endless, '.origami': 'ready_within: 600\n' } })
  const [account = '', name = ''] = first.address.split('/').slice(1)
  await ann.call('POST /-/api/demos/:account/:name/deploy', { params: { account, name } })
  // Stopped in order, which is not counted, before the first death and between others.
  for (const end of ['stop', 'kill', 'stop', 'stop', 'kill', 'kill']) {
    await newest('health_checking')
    await (end === 'kill' ? world.killDaemon() : world.stopDaemon())
    await world.startDaemon()
  }
  const poisoned = await newest('poisoned')
  expect(poisoned?.reason).toContain('The daemon died 3 times while this was under way')
  expect(poisoned?.reason).toContain('it is not tried again')
  expect(poisoned?.steps.filter(({ state }) => state === 'health_checking')).toHaveLength(6)
  expect(await said('former')).toBe('former, version 1')

  await world.push(model, 'ann', {
    files: { 'model.ts': source.replace('version 1', 'version 2'), '.origami': '' },
  })
  expect((await ann.redeploy(first.address)).detail?.newest?.state).toBe('running')
  expect(await said('next')).toBe('next, version 2')
}, 240_000)
