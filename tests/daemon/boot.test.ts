import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startDaemon } from '@origami/daemon'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { DaemonYard } from './yard.ts'

describe('a daemon that starts', () => {
  let yard: DaemonYard
  beforeEach(async () => {
    yard = await DaemonYard.open()
  })
  afterEach(async () => yard[Symbol.asyncDispose]())

  test('beside another on the same folder refuses', async () => {
    const second = startDaemon(yard.config, { engine: yard.engine, source: yard.source })
    await expect(second).rejects.toThrow(`belongs to the daemon with process id ${process.pid}`)
  })

  test.each(['tls/key.pem', 'secret.key'])('with a %s that others can read refuses', async (name) => {
    await yard.leave()
    await chmod(join(yard.folder, 'daemon', name), 0o644)
    await expect(yard.start()).rejects.toThrow(`${name} can be read by others (mode 644); chmod 600 it`)
  })

  test('goes on with a deploy that was under way, on the same commit', async () => {
    yard.holds.add('build')
    const link = await yard.push('resumed')
    const { demo, deployment } = await yard.trigger(link)
    const { commit } = await yard.deployment(demo, deployment, 'building')
    await yard.leave()
    await yard.push('resumed', await DaemonYard.model((source) => source.replace('version 1', 'version 2')))
    yard.holds.clear()
    await yard.start()
    expect(await yard.deployment(demo, deployment)).toMatchObject({ state: 'running', commit })
    expect((await yard.deployment(demo, deployment)).steps.map(({ state }) => state)).toEqual([
      'queued',
      'cloning',
      'validating',
      'building',
      'queued',
      'cloning',
      'validating',
      'building',
      'starting',
      'health_checking',
      'switching',
      'running',
    ])
  })

  test('takes over an instance that was starting, with the time it had left', async () => {
    const slow = await DaemonYard.model((source) =>
      source.replace('async predict', 'setup: () => new Promise(() => {}),\n  async predict'),
    )
    const files = { ...slow, '.origami': 'ready_within: 600\n' }
    const { demo, deployment } = await yard.trigger(await yard.push('slow', files))
    const { deadline_at } = await yard.deployment(demo, deployment, 'health_checking')
    const [before] = await yard.engine.list()
    await yard.leave()
    yard.ahead += 300_000
    await yard.start()
    const resumed = await yard.deployment(demo, deployment, 'health_checking')
    expect(resumed.deadline_at).toBe(deadline_at)
    expect((await yard.engine.list()).map(({ id }) => id)).toEqual([before?.id])
  })

  test('starts an instance again that exited while the daemon was away', async () => {
    yard.holds.add('start')
    const { demo, deployment } = await yard.trigger(await yard.push('exited'))
    await yard.deployment(demo, deployment, 'starting')
    yard.holds.clear()
    await vi.waitFor(async () => expect(await yard.engine.list()).toHaveLength(1))
    await yard.leave()
    const [before] = await yard.engine.list()
    await yard.engine.stop(before?.id ?? ('' as never), 0)
    await yard.start()
    await vi.waitFor(async () => expect(await yard.engine.list()).toMatchObject([{ state: 'running' }]))
    expect((await yard.deployment(demo, deployment)).state).toBe('running')
    expect(await yard.prediction(demo, await yard.submit(demo, { word: 'again' }))).toMatchObject({
      output: 'again, version 1',
    })
  })

  test('ends a deploy whose time was over while it was away', async () => {
    const slow = await DaemonYard.model((source) =>
      source.replace('async predict', 'setup: () => new Promise(() => {}),\n  async predict'),
    )
    const { demo, deployment } = await yard.trigger(
      await yard.push('late', { ...slow, '.origami': 'ready_within: 600\n' }),
    )
    await yard.deployment(demo, deployment, 'health_checking')
    await yard.leave()
    yard.ahead += 3_600_000
    await yard.start()
    expect(await yard.deployment(demo, deployment)).toMatchObject({ state: 'unhealthy' })
    expect(await yard.remains()).toEqual({ instances: 0, images: 0, checkouts: [] })
  })

  test('tells every event there was, in order, and from any number on', async () => {
    const { demo } = await yard.deploy('told')
    await yard.leave()
    await yard.start()
    const all: { seq: number; to: string }[] = []
    for await (const event of yard.events()) {
      all.push(event)
      if (event.to === 'running') break
    }
    expect(all.map(({ to }) => to)).toEqual([
      'queued',
      'cloning',
      'validating',
      'building',
      'starting',
      'health_checking',
      'switching',
      'running',
    ])
    for await (const event of yard.events(all[5]?.seq ?? 0)) {
      expect(event).toMatchObject({ demo, to: 'switching', from: 'health_checking' })
      break
    }
  })
})

describe('the log of a demo', () => {
  test('goes from the first line of the clone to the last of the demo, is read from any byte on, and is capped', async () => {
    await using yard = await DaemonYard.open({ logBytes: 20_000 })
    const loud = await DaemonYard.model((source) =>
      source
        .replace('async predict', "setup: () => console.log('setting up'),\n  async predict")
        .replace(
          'return `',
          "for (let line = 0; line < 500; line += 1) console.log('said ' + line + ' <b> gho_0123456789abcdefghij ' + '.'.repeat(60))\n    return `",
        ),
    )
    const { demo } = await yard.deploy('loud', loud)
    const texts = ['deploy Building', 'build Prepared', 'demo Listening on', 'demo setting up', 'deploy Live']
    const before = await vi.waitFor(async () => {
      const log = await yard.log(demo)
      expect(texts.filter((one) => !log.includes(one))).toEqual([])
      return log
    })
    expect(before.split('\n')[0]).toMatch(/^\S+Z deploy Cloning$/)
    const part = await yard.ask<string>('GET', `/logs/${demo}?offset=${Buffer.byteLength(before) - 5}`)
    expect(part.body.startsWith(before.slice(-5))).toBe(true)
    await yard.prediction(demo, await yard.submit(demo, { word: 'x' }))
    await yard.ask('POST', `/demos/${demo}/stop`, {})
    const after = await vi.waitFor(async () => {
      const log = await yard.log(demo)
      expect(log).toContain('said 499 ')
      return log
    })
    expect(Buffer.byteLength(await readFile(join(yard.folder, `daemon/logs/${demo}.log`)))).toBeLessThan(21_000)
    expect(after.split('\n')[0]).toContain('(older lines were dropped here)')
    expect(after).toContain('said 499 <b> [token] ....')
    expect(Number((await yard.ask('GET', `/logs/${demo}`)).headers['origami-log-size'])).toBeGreaterThan(40_000)
  })
})
