import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { DaemonYard } from './yard.ts'

describe('what .origami says is so', () => {
  let yard: DaemonYard
  beforeAll(async () => {
    yard = await DaemonYard.open()
  })
  afterAll(async () => yard[Symbol.asyncDispose]())

  test('title and description', async () => {
    const { demo } = await yard.deploy('titled', { '.origami': 'title: Of paper\ndescription: Folds.\n' })
    expect((await yard.detail(demo)).schema).toMatchObject({ title: 'Of paper', description: 'Folds.' })
  })

  test('concurrency: as many run at a time, the next waits and knows its place', async () => {
    const { demo } = await yard.deploy('several', { '.origami': 'concurrency: 2\n' })
    const gate = yard.gate('several')
    const ids = [
      await yard.submit(demo, { word: 'one', gate: gate.path }, 'visitor-1'),
      await yard.submit(demo, { word: 'two', gate: gate.path }, 'visitor-2'),
      await yard.submit(demo, { word: 'three', gate: gate.path }, 'visitor-3'),
    ]
    await vi.waitFor(async () => expect((await gate.runs()).toSorted()).toEqual(['one', 'two']))
    // The daemon hears a little later that they run.
    expect(await yard.prediction(demo, ids[2] ?? '', ({ queue }) => queue?.position === 1)).toMatchObject({
      status: 'starting',
      queue: { eta: null },
    })
    await gate.open()
    await Promise.all(ids.map((id) => yard.prediction(demo, id)))
    expect(await gate.runs()).toHaveLength(3)
  })

  test('strategy swap: the new version answers before the old one stops', async () => {
    const { demo, deployment: old } = await yard.deploy('swapped')
    yard.engine.actions.length = 0
    const { deployment } = await yard.deploy('swapped', await version(2))
    await yard.deployment(demo, old.id, 'retired')
    expect(yard.engine.actions).toEqual([`start ${deployment.id}`, `stop ${old.id}`])
    expect(
      (await yard.engine.images()).filter((image) => image.demo === demo).map((image) => image.deployment),
    ).toEqual([deployment.id])
  })

  test('strategy recreate: the old version stops first, what is sent meanwhile waits, and nobody is refused', async () => {
    const recreate = { '.origami': 'strategy: recreate\n' }
    const { demo, deployment: old } = await yard.deploy('recreated', recreate)
    yard.engine.actions.length = 0
    yard.holds.add('start')
    const { deployment } = await yard.trigger(await yard.push('recreated', { ...recreate, ...(await version(2)) }))
    await yard.deployment(demo, deployment, 'starting')
    await vi.waitFor(() => expect(yard.engine.actions).toEqual([`stop ${old.id}`]))
    const sent = await yard.submit(demo, { word: 'meanwhile' })
    expect(await yard.prediction(demo, sent, () => true)).toMatchObject({ status: 'starting', queue: { position: 1 } })
    yard.holds.clear()
    expect((await yard.deployment(demo, deployment)).state).toBe('running')
    expect(yard.engine.actions).toEqual([`stop ${old.id}`, `start ${deployment}`])
    expect(await yard.prediction(demo, sent)).toMatchObject({ output: 'meanwhile, version 2' })
  })

  test('strategy recreate, and the new version fails: the old one comes back', async () => {
    const recreate = { '.origami': 'strategy: recreate\n' }
    const { demo, deployment: old } = await yard.deploy('returned', recreate)
    const { deployment } = await yard.deploy('returned', { ...recreate, 'model.ts': 'throw new Error("broken")\n' })
    expect(deployment.state).toBe('unhealthy')
    expect(await yard.prediction(demo, await yard.submit(demo, { word: 'back' }))).toMatchObject({
      output: 'back, version 1',
    })
    expect(await yard.detail(demo)).toMatchObject({ status: 'running', serving: old.id })
  })
})

const version = (number: number) => DaemonYard.model((source) => source.replace('version 1', `version ${number}`))
