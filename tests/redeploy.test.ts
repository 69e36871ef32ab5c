import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DemoPage } from '@origami/protocol/control'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Person, placeOf } from './person.ts'
import { World } from './world.ts'

const model = 'tests/demos/gated'
const source = () => readFile(join(import.meta.dirname, 'demos/gated/model.ts'), 'utf8')

describe('a new version', () => {
  let world: World
  let ann: Person
  let first: DemoPage

  beforeAll(async () => {
    world = await World.start({ engine: 'process' })
    ann = await world.person('ann')
    first = await ann.deploy(await world.push(model, 'ann'))
    expect(first.state, first.detail?.newest?.reason ?? '').toBe('running')
  }, 240_000)

  afterAll(async () => world[Symbol.asyncDispose]())

  test('that does not start leaves the old one serving, and its owner sees why', async () => {
    await world.push(model, 'ann', { files: { 'model.ts': 'throw new Error("weights are missing")\n' } })
    const page = await ann.redeploy(first.address)
    expect(page.detail?.newest?.state).toBe('unhealthy')
    expect(page.detail?.newest?.reason).toContain('weights are missing')
    expect(page.commit).toBe(first.commit)
    const { id } = await ann.submit(first.address, { word: 'still' })
    expect((await ann.prediction(first.address, id)).output).toBe('still, version 1')
  })

  test('that does not build leaves the old one serving, and its owner sees why', async () => {
    await world.push(model, 'ann', {
      files: { 'package.json': '{ "dependencies": { "origami-lib-no-such-package-0": "1.0.0" } }' },
    })
    const page = await ann.redeploy(first.address)
    expect(page.detail?.newest?.state).toBe('build_failed')
    expect(page.detail?.newest?.log_tail.join('\n')).toContain('origami-lib-no-such-package-0')
    expect(page.state).toBe('running')
    expect(page.commit).toBe(first.commit)
  })

  test('comes live while visitors wait: all are answered, and no request fails', async () => {
    const gate = join(world.folder, 'gate')
    const held = await ann.submit(first.address, { word: 'held', gate })
    const waiting = await ann.submit(first.address, { word: 'waiting', gate })
    await vi.waitFor(async () => expect(await readFile(`${gate}.runs`, 'utf8')).toBe('held\n'))
    await world.push(model, 'ann', { files: { 'model.ts': (await source()).replace('version 1', 'version 2') } })
    const deploying = ann.call('POST /-/api/demos/:account/:name/deploy', { params: placeOf(first.address) })
    await vi.waitFor(async () =>
      expect((await ann.prediction(first.address, waiting.id, () => true)).queue ?? true).toBeTruthy(),
    )
    await writeFile(gate, '')
    const page = await ann.settled(first.address, (await deploying).detail?.newest?.id)
    expect(page.detail?.newest?.state).toBe('running')
    const [one, two] = [await ann.prediction(first.address, held.id), await ann.prediction(first.address, waiting.id)]
    expect(one).toMatchObject({ status: 'succeeded', output: 'held, version 1' })
    expect(two.status).toBe('succeeded')
    const { id } = await ann.submit(first.address, { word: 'new' })
    expect((await ann.prediction(first.address, id)).output).toBe('new, version 2')
  }, 180_000)
})
