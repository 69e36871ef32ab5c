import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { placeOf } from '../person.ts'
import { World } from '../world.ts'

let world: World
beforeAll(async () => {
  world = await World.start({ engine: 'process' })
})
afterAll(async () => world[Symbol.asyncDispose]())

test('a deployment that takes the daemon down is tried three times, then it ends as poisoned', async () => {
  const ann = await world.person('ann')
  const files = {
    'model.ts':
      "import { demo, text } from 'origami-lib'\n\nexport default demo({ inputs: { word: text() }, outputs: { said: text() }, setup: () => new Promise(() => {}), predict: async ({ word }) => word })\n",
    '.origami': 'ready_within: 600\n',
  }
  const link = await world.push('tests/demos/gated', 'ann', { files })
  const { address } = await ann.call('POST /-/api/demos', { body: { link } })
  const newest = (state: string) =>
    vi.waitFor(
      async () => {
        const { detail } = await ann.call('GET /-/api/demos/:account/:name', { params: placeOf(address) })
        expect(detail?.newest?.state, detail?.newest?.reason ?? '').toBe(state)
        return detail?.newest
      },
      { timeout: 60_000, interval: 100 },
    )
  for (const _ of ['first', 'second', 'third']) {
    await newest('health_checking')
    await world.killDaemon()
    await world.startDaemon()
  }
  expect((await newest('poisoned'))?.reason).toContain('The daemon died 3 times while this was under way')
}, 180_000)
