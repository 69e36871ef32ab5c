import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Puppet } from './puppet.ts'
import { DaemonYard } from './yard.ts'

const minute = 60_000

describe('what a daemon looks after', () => {
  let yard: DaemonYard
  let puppet: Puppet
  beforeEach(async () => {
    yard = await DaemonYard.open({ deployments: 1 })
    puppet = new Puppet(join(yard.folder, 'puppet'))
  })
  afterEach(async () => yard[Symbol.asyncDispose]())

  /** Resolves once the puppet was asked for its health some more times. */
  const asked = async (more: number) => {
    const before = await puppet.asked()
    await vi.waitFor(async () => expect(await puppet.asked()).toBeGreaterThan(before + more))
  }
  const newest = async (demo: string) => (await yard.detail(demo)).deployments[0]
  /** Ends its instance as a crash does. */
  const kill = async (demo: string) => {
    const { instance_id } = await yard.detail(demo)
    await yard.engine.stop(instance_id as never, 0)
    return instance_id
  }
  const servesAt = (demo: string, other: number | null) =>
    vi.waitFor(async () => {
      const { port } = await yard.detail(demo)
      expect(port !== null && port !== other).toBe(true)
    })
  const crash = async (demo: string) => {
    const { port } = await yard.detail(demo)
    await kill(demo)
    await servesAt(demo, port)
  }

  test('is looked after again after rounds that failed, and a daemon that then leaves leaves in peace', async () => {
    const { demo } = await yard.deploy('rounds', puppet.files)
    const { port } = await yard.detail(demo)
    yard.engine.faults.set('list', 3).set('images', 3)
    await vi.waitFor(() => expect([yard.engine.faults.get('list'), yard.engine.faults.get('images')]).toEqual([0, 0]))
    await kill(demo)
    await servesAt(demo, port)
    yard.engine.faults.set('list', 1000)
    await yard.leave()
    yard.engine.faults.clear()
  })

  test('is looked after as soon as it exits, also after exits could not be told for a while', async () => {
    await yard.leave()
    await yard.start({ reconcileMs: 3_600_000 })
    const { demo } = await yard.deploy('exits', puppet.files)
    yard.engine.faults.set('exits', 2)
    await crash(demo)
    await vi.waitFor(() => expect(yard.engine.faults.get('exits')).toBe(0))
    await crash(demo)
    expect(await yard.detail(demo)).toMatchObject({ status: 'running' })
  })

  test('is looked after also while one step of each round fails', async () => {
    const { demo } = await yard.deploy('steps', puppet.files)
    yard.engine.faults.set('images', 1000)
    await yard.rounds(2)
    await crash(demo)
    expect(await yard.detail(demo)).toMatchObject({ status: 'running' })
  })

  test.each([
    ['says that it has no worker', 'health', { status: 'STARTING', workers: { ready: 0, of: 2 } }],
    ['of before workers were told says STARTING', 'health', { status: 'STARTING' }],
    ['takes connections and never answers', 'deaf /health-check', {}],
  ] as const)('an instance that %s for its ready_within is ended and started again', async (_what, what, value) => {
    await yard.leave()
    await yard.start({ answerMs: 200 })
    const { demo } = await yard.deploy('silent', { ...puppet.files, '.origami': 'ready_within: 100\n' })
    const before = await yard.detail(demo)
    await puppet.set(what, value)
    await asked(2)
    expect(await yard.detail(demo)).toMatchObject({ port: before.port })
    yard.ahead += 101_000
    await vi.waitFor(async () => expect((await yard.detail(demo)).port).toBeNull())
    await puppet.clear()
    await servesAt(demo, before.port)
    expect(await yard.log(demo)).toContain('No worker of it served for 100 s: it is ended and started again')
    expect(await newest(demo)).toMatchObject({ state: 'running' })
  })

  test('an instance that says READY and takes nothing is ended and started again, and what waited is answered', async () => {
    const { demo } = await yard.deploy('refuses', { ...puppet.files, '.origami': 'ready_within: 5\n' })
    const { port } = await yard.detail(demo)
    await puppet.set('refuses')
    const waits = await yard.submit(demo, {})
    await vi.waitFor(async () => expect(await yard.log(demo)).toContain('It took no predictions'))
    await puppet.clear()
    await servesAt(demo, port)
    expect(await yard.prediction(demo, waits)).toMatchObject({ status: 'succeeded', output: 'done' })
  })

  test('an instance that runs on what visitors cancel is started again as often as it takes, and is no crash', async () => {
    await yard.leave()
    await yard.start({ cancelMs: 50, crashes: 1 })
    const { demo } = await yard.deploy('runs-on', { ...puppet.files, '.origami': 'ready_within: 100\n' })
    await puppet.set('runs on')
    for (const _ of ['once', 'twice']) {
      yard.ahead += 101_000
      const { port } = await yard.detail(demo)
      const id = await yard.submit(demo, {})
      await yard.prediction(demo, id, ({ status }) => status === 'processing')
      await yard.ask('POST', `/demos/${demo}/predictions/${id}/cancel`)
      await servesAt(demo, port)
    }
    expect(await yard.log(demo)).toContain('It did not end a prediction that it was told to end')
    expect(await newest(demo)).toMatchObject({ state: 'running' })
  })

  test('an instance with one of several workers left serves on', async () => {
    const { demo } = await yard.deploy('one-left', { ...puppet.files, '.origami': 'ready_within: 100\n' })
    const { port } = await yard.detail(demo)
    await puppet.set('health', { status: 'BUSY', workers: { ready: 1, of: 2 } })
    await asked(2)
    yard.ahead += 5 * minute
    await asked(2)
    expect((await yard.detail(demo)).port).toBe(port)
  })

  test('what cannot be started again is tried after 1, 5 and 15 minutes, serves once it can, and says so meanwhile', async () => {
    const { demo } = await yard.deploy('put-off', puppet.files)
    await puppet.set('broken')
    await kill(demo)
    const putOff = (tries: number) =>
      vi.waitFor(async () => {
        const started = (await yard.log(demo)).split('It could not be started again').length - 1
        expect(started).toBe(tries)
        const { reason, state } = (await newest(demo)) ?? {}
        expect([state, reason]).toEqual(['running', expect.stringContaining('It is tried again at')])
      })
    await putOff(1)
    for (const [index, minutes] of [1, 5, 15].entries()) {
      yard.ahead += minutes * minute - 10_000
      await yard.rounds(2)
      await putOff(index + 1)
      yard.ahead += 11_000
      await putOff(index + 2)
    }
    expect(await yard.detail(demo)).toMatchObject({
      status: 'waiting',
      port: null,
      reason: expect.stringContaining('exited at once with code 7'),
    })
    await puppet.clear()
    await yard.ask('POST', `/demos/${demo}/start`, {})
    await servesAt(demo, null)
    expect(await yard.detail(demo)).toMatchObject({ status: 'running', reason: null })
  })

  test("a start of its owner's that fails is tried again, and serves once it can", async () => {
    const { demo, deployment } = await yard.deploy('start-fails', puppet.files)
    await yard.ask('POST', `/demos/${demo}/stop`, {})
    await puppet.set('broken')
    await yard.ask('POST', `/demos/${demo}/start`, {})
    const putOff = /^It could not be started again: .*code 7.* It is tried again at/
    await vi.waitFor(async () => expect((await newest(demo))?.reason).toMatch(putOff), { timeout: 20_000 })
    expect(await yard.detail(demo)).toMatchObject({ status: 'waiting', port: null, newest: { state: 'running' } })
    await puppet.clear()
    await yard.rounds(2)
    expect((await yard.detail(demo)).port).toBeNull()
    yard.ahead += minute + 1000
    await servesAt(demo, null)
    expect(await newest(demo)).toMatchObject({ id: deployment.id, state: 'running', reason: null })
  })

  test('an instance that could not be ended after a start that failed, and answers later, is known as the one that serves', async () => {
    const { demo } = await yard.deploy('not-ended', puppet.files)
    await yard.ask('POST', `/demos/${demo}/stop`, {})
    await puppet.set('health', { status: 'SETUP_FAILED' })
    yard.engine.faults.set('stop', 1000)
    await yard.ask('POST', `/demos/${demo}/start`, {})
    await vi.waitFor(async () => expect((await newest(demo))?.reason).toContain('setup failed'), { timeout: 20_000 })
    await vi.waitFor(() => expect(yard.engine.faults.get('stop')).toBeLessThan(1000))
    yard.engine.faults.delete('stop')
    const [left] = await yard.engine.list()
    expect(left).toBeDefined()
    expect(await yard.detail(demo)).toMatchObject({ port: null, instance_id: null })
    await puppet.clear()
    yard.ahead += minute + 1000
    await servesAt(demo, null)
    expect(await yard.detail(demo)).toMatchObject({ status: 'running', instance_id: left?.id })
  })

  test('after a boot of the host demos start no more at a time than deployments', async () => {
    const demos = [await yard.deploy('one', puppet.files), await yard.deploy('two', puppet.files)]
    await yard.leave()
    for (const { id } of await yard.engine.list()) await yard.engine.remove(id)
    yard.engine.mostStarting = 0
    yard.holds.add('start')
    await yard.start()
    await yard.rounds(2)
    yard.holds.clear()
    for (const { demo } of demos) await servesAt(demo, null)
    expect(yard.engine.mostStarting).toBe(1)
  })

  test('a demo that hangs in its setup keeps no other from being deployed', async () => {
    await yard.leave()
    await yard.start({ startSlotMs: 100 })
    await puppet.set('health', { status: 'STARTING' })
    const hangs = { ...puppet.files, '.origami': 'ready_within: 600\n' }
    const { demo, deployment } = await yard.trigger(await yard.push('hangs', hangs))
    await yard.deployment(demo, deployment, 'health_checking')
    const other = new Puppet(join(yard.folder, 'other'))
    expect((await yard.deploy('other', other.files)).deployment.state).toBe('running')
    expect((await yard.deployment(demo, deployment, 'health_checking')).id).toBe(deployment)
  })

  test('the window that counts crashes slides', async () => {
    const { demo } = await yard.deploy('sliding', puppet.files)
    for (const _ of [0, 4, 8, 12, 16]) {
      await crash(demo)
      yard.ahead += 4 * minute
    }
    expect(await newest(demo)).toMatchObject({ state: 'running' })
  })

  test("exits of while the daemon was away are nobody's crash", async () => {
    const { demo } = await yard.deploy('away', puppet.files)
    for (const _ of [1, 2, 3, 4]) {
      const { port } = await yard.detail(demo)
      await yard.leave()
      for (const { id } of await yard.engine.list()) await yard.engine.stop(id, 0)
      await yard.start()
      await servesAt(demo, port)
    }
    expect(await newest(demo)).toMatchObject({ state: 'running' })
  })

  test('a version that crash-loops hands back to the last one that served well, and says so', async () => {
    const { demo, deployment: good } = await yard.deploy('handed-back')
    await yard.prediction(demo, await yard.submit(demo, { word: 'well' }))
    const { deployment: bad } = await yard.deploy('handed-back', puppet.files)
    await yard.deployment(demo, good.id, 'retired')
    for (const _ of [1, 2, 3]) await crash(demo)
    await kill(demo)
    const looped = await yard.deployment(demo, bad.id, 'runtime_error')
    expect(looped.reason).toContain(
      `exited 4 times within ten minutes; version ${good.commit?.slice(0, 7)}, the last that served well`,
    )
    await servesAt(demo, null)
    expect(await yard.detail(demo)).toMatchObject({ status: 'running', serving: good.id, commit: good.commit })
    const restarted = await yard.deployment(demo, good.id, 'running')
    expect(restarted.reason).toContain(`version ${bad.commit?.slice(0, 7)} crashed`)
    expect(await yard.log(demo)).toContain('serves again')
    expect(await yard.prediction(demo, await yard.submit(demo, { word: 'back' }))).toMatchObject({
      output: 'back, version 1',
    })
  })

  test('a version that exits each time it is started hands back as well', async () => {
    const { demo, deployment: good } = await yard.deploy('never-again')
    await yard.prediction(demo, await yard.submit(demo, { word: 'well' }))
    const { deployment: bad } = await yard.deploy('never-again', puppet.files)
    await yard.deployment(demo, good.id, 'retired')
    await puppet.set('broken')
    await kill(demo)
    expect((await yard.deployment(demo, bad.id, 'runtime_error')).reason).toContain(
      'could not be started 4 times in a row',
    )
    await servesAt(demo, null)
    expect(await yard.detail(demo)).toMatchObject({ status: 'running', serving: good.id })
    await puppet.clear()
  })

  test('a version whose image is gone, with no other to hand back to, is built again from its commit', async () => {
    const { demo, deployment } = await yard.deploy('gone', puppet.files)
    for (const { ref } of await yard.engine.images()) await yard.engine.removeImage(ref)
    await kill(demo)
    await vi.waitFor(async () => expect(await yard.log(demo)).toContain('Its image is gone: it is built again from'), {
      timeout: 20_000,
    })
    const restarted = await yard.deployment(demo, deployment.id, 'running')
    expect(restarted).toMatchObject({ state: 'running', commit: deployment.commit })
    expect(restarted.steps.filter(({ state }) => state === 'building')).toHaveLength(2)
  })

  test('the images of the last good versions are kept, as many as the setting says', async () => {
    await yard.leave()
    await yard.start({ keepVersions: 2 })
    const made: string[] = []
    for (const name of ['one', 'two', 'three']) {
      const { demo, deployment } = await yard.deploy('kept', { 'README.md': name })
      await yard.prediction(demo, await yard.submit(demo, { word: name }))
      made.push(deployment.id)
    }
    await vi.waitFor(async () => expect((await yard.engine.list()).length).toBe(1))
    await yard.rounds(2)
    const images = async () => (await yard.engine.images()).map(({ deployment }) => deployment as string).toSorted()
    await vi.waitFor(async () => expect(await images()).toEqual(made.slice(1).toSorted()))
  })
})
