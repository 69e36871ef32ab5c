import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { daemonApi } from '@origami/protocol/control'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Hold } from './held.ts'
import { Puppet } from './puppet.ts'
import { DaemonYard } from './yard.ts'

const nothing = { instances: 0, images: 0, checkouts: [] }

describe('what a daemon is told', () => {
  let yard: DaemonYard
  let puppet: Puppet
  beforeAll(async () => {
    yard = await DaemonYard.open({ deployments: 2 })
    puppet = new Puppet(join(yard.folder, 'puppet'))
  })
  afterEach(async () => {
    yard.holds.clear()
    for (const { demo_id } of await demos()) await yard.ask('DELETE', `/demos/${demo_id}`)
  })
  afterAll(async () => yard[Symbol.asyncDispose]())

  const demos = async () => (await yard.call('GET /stats', {})).demos

  test.each([
    [{ user_id: 'ann', remote_repo_link: 'https://folder.test/ann/a' }, 'user_access_token'],
    [{ user_access_token: null, remote_repo_link: 'https://folder.test/ann/a' }, 'user_id'],
    [{ user_access_token: null, user_id: 7, remote_repo_link: 'https://folder.test/ann/a' }, 'user_id'],
    [{ user_access_token: null, user_id: 'a/b', remote_repo_link: 'https://folder.test/ann/a' }, 'user_id'],
    [{ user_access_token: null, user_id: 'ann' }, 'remote_repo_link'],
    [{ user_access_token: null, user_id: 'ann', remote_repo_link: 'https://folder.test/ann/../x' }, 'remote_repo_link'],
    [{ user_access_token: null, user_id: 'ann', remote_repo_link: 'https://folder.test/ann/a', more: 1 }, 'more'],
    ['text', 'expected object'],
  ])('%j is refused, with what is wrong, and stored nowhere', async (body, message) => {
    const { status, body: answer } = await yard.ask<{ error: string }>('POST', '/deploy_trigger', body)
    expect(status).toBe(422)
    expect(answer.error).toContain(message)
    expect(await demos()).toEqual([])
  })

  test('a document describes every route of it', async () => {
    const { body } = await yard.ask<{ paths: Record<string, Record<string, { operationId: string }>> }>(
      'GET',
      '/openapi.json',
    )
    const described = Object.entries(body.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, { operationId }]) => [`${method.toUpperCase()} ${path}`, operationId]),
    )
    const table = Object.entries(daemonApi).map(([key, { id }]) => [key.replace(/:(\w+)/g, '{$1}'), id])
    expect(described.toSorted()).toEqual(table.toSorted())
    expect(JSON.stringify(body.paths['/deploy_trigger'])).toContain('#/components/schemas/DeployTrigger"')
  })

  test('a demo triggered again while it waits: the newer takes its place; while it runs: it follows', async () => {
    yard.holds.add('clone')
    const link = await yard.push('again')
    const { demo, deployment: first } = await yard.trigger(link)
    await yard.deployment(demo, first, 'cloning')
    const { deployment: second } = await yard.trigger(link)
    const { deployment: third } = await yard.trigger(link)
    expect(await yard.deployment(demo, second, 'superseded')).toMatchObject({ superseded_by: third })
    expect((await yard.detail(demo)).deployments.map(({ id, state }) => [id, state])).toEqual([
      [third, 'queued'],
      [second, 'superseded'],
      [first, 'cloning'],
    ])
    yard.holds.clear()
    expect((await yard.deployment(demo, third)).state).toBe('running')
    expect((await yard.deployment(demo, first, 'retired')).state).toBe('retired')
  })

  test('what was stopped serves again when the deploy that should replace it fails', async () => {
    const { demo, deployment: first } = await yard.deploy('kept-on')
    await yard.ask('POST', `/demos/${demo}/stop`, {})
    const { deployment: second } = await yard.deploy('kept-on', { 'package.json': '{' })
    expect(second.state).toBe('build_failed')
    await yard.deployment(demo, first.id, 'running')
    expect(await yard.detail(demo)).toMatchObject({ status: 'running', serving: first.id })
  })

  test('a demo that is started while a deploy waits, or pushed while its start waits, loses no version that served', async () => {
    const { demo, deployment: first } = await yard.deploy('both')
    yard.holds.add('start')
    for (const name of ['filler-1', 'filler-2']) {
      const filler = await yard.trigger(await yard.push(name))
      await yard.deployment(filler.demo, filler.deployment, 'starting')
    }
    await yard.ask('POST', `/demos/${demo}/stop`, {})
    await yard.ask('POST', `/demos/${demo}/start`, {})
    await yard.deployment(demo, first.id, 'queued')
    const { deployment: second } = await yard.trigger(await yard.push('both', { 'package.json': '{' }))
    await yard.deployment(demo, first.id, 'stopped')
    await yard.ask('POST', `/demos/${demo}/start`, {})
    expect((await yard.deployment(demo, second, 'queued')).id).toBe(second)
    yard.holds.clear()
    await yard.deployment(demo, second, 'build_failed')
    await yard.deployment(demo, first.id, 'running')
    expect((await yard.detail(demo)).status).toBe('running')
  })

  test('as many deploys at a time as the limit says, one for each demo', async () => {
    yard.holds.add('clone')
    const links = [await yard.push('one'), await yard.push('two'), await yard.push('three')]
    const made = [
      await yard.trigger(links[0] ?? ''),
      await yard.trigger(links[1] ?? ''),
      await yard.trigger(links[2] ?? ''),
    ]
    await Promise.all(made.slice(0, 2).map(({ demo, deployment }) => yard.deployment(demo, deployment, 'cloning')))
    const [, , last] = made
    expect((await yard.detail(last?.demo ?? '')).newest?.state).toBe('queued')
    await yard.ask('POST', `/deployments/${made[0]?.deployment}/cancel`, {})
    await yard.deployment(last?.demo ?? '', last?.deployment ?? '', 'cloning')
  })

  test.each<[string, Hold]>([
    ['cloning', 'clone'],
    ['building', 'build'],
    ['starting', 'start'],
  ])('canceled while %s, nothing of it is left', async (state, hold) => {
    yard.holds.add(hold)
    const { demo, deployment } = await yard.trigger(await yard.push(`cancel-${hold}`))
    await yard.deployment(demo, deployment, state as 'cloning')
    expect((await yard.ask('POST', `/deployments/${deployment}/cancel`, {})).status).toBe(200)
    expect((await yard.deployment(demo, deployment)).state).toBe('canceled')
    expect(await yard.remains()).toEqual(nothing)
    expect((await yard.ask('POST', `/deployments/${deployment}/cancel`, {})).status).toBe(404)
  })

  test('canceled while it waits until the model answers, nothing of it is left, and the version before serves on', async () => {
    const { demo, deployment: before } = await yard.deploy('cancel-health')
    const slow = await DaemonYard.model((source) =>
      source.replace('async predict', 'setup: () => new Promise(() => {}),\n  async predict'),
    )
    const { deployment } = await yard.trigger(await yard.push('cancel-health', slow))
    await yard.deployment(demo, deployment, 'health_checking')
    await yard.ask('POST', `/deployments/${deployment}/cancel`, {})
    expect((await yard.deployment(demo, deployment)).state).toBe('canceled')
    expect(await yard.remains()).toEqual({ instances: 1, images: 1, checkouts: [] })
    expect(await yard.detail(demo)).toMatchObject({ status: 'running', serving: before.id })
    expect(await yard.prediction(demo, await yard.submit(demo, { word: 'still' }))).toMatchObject({
      output: 'still, version 1',
    })
  })

  test('canceled while the version before is being stopped, that one has no more grace, and serves again', async () => {
    const files = {
      'origami/server.mjs': `process.on('SIGTERM', () => undefined)\n${puppet.files['origami/server.mjs']}`,
      '.origami': 'strategy: recreate\n',
    }
    const { demo, deployment: before } = await yard.deploy('cancel-stopping', files)
    yard.engine.graces.length = 0
    const { deployment } = await yard.trigger(await yard.push('cancel-stopping', { ...files, 'README.md': 'again' }))
    await vi.waitFor(() => expect(yard.engine.graces).toEqual([10_000]), { timeout: 20_000 })
    expect((await yard.ask('POST', `/deployments/${deployment}/cancel`, {})).status).toBe(200)
    expect(yard.engine.graces).toEqual([10_000, 0])
    expect((await yard.deployment(demo, deployment)).state).toBe('canceled')
    await vi.waitFor(
      async () => expect(await yard.detail(demo)).toMatchObject({ status: 'running', serving: before.id }),
      {
        timeout: 20_000,
      },
    )
  })

  test('one that waits can be canceled', async () => {
    yard.holds.add('clone')
    const link = await yard.push('cancel-queued')
    const { demo, deployment: first } = await yard.trigger(link)
    await yard.deployment(demo, first, 'cloning')
    const { deployment } = await yard.trigger(link)
    await yard.ask('POST', `/deployments/${deployment}/cancel`, {})
    expect((await yard.deployment(demo, deployment)).state).toBe('canceled')
    expect((await yard.detail(demo)).deployments.find(({ id }) => id === first)?.state).toBe('cloning')
  })

  test('stop ends what waits and what runs as stopped; start brings it back; both again change nothing', async () => {
    const { demo, deployment } = await yard.deploy('stopped')
    const gate = yard.gate()
    const [running, waiting] = [
      await yard.submit(demo, { word: 'running', gate: gate.path }),
      await yard.submit(demo, { word: 'waiting', gate: gate.path }),
    ]
    await vi.waitFor(async () => expect(await gate.runs()).toEqual(['running']))
    for (const _ of ['once', 'twice']) expect((await yard.ask('POST', `/demos/${demo}/stop`, {})).status).toBe(200)
    expect(await yard.prediction(demo, waiting)).toMatchObject({ status: 'failed', reason: 'stopped' })
    expect(await yard.prediction(demo, running)).toMatchObject({ status: 'failed', reason: 'stopped' })
    expect(await yard.detail(demo)).toMatchObject({ status: 'stopped', port: null, instance_id: null })
    expect(await yard.remains()).toEqual({ instances: 0, images: 1, checkouts: [] })
    const refused = await yard.ask<{ error: string }>('POST', `/demos/${demo}/predictions`, { input: { word: 'x' } })
    expect([refused.status, refused.body.error]).toEqual([503, 'This demo is stopped.'])
    for (const _ of ['once', 'twice']) expect((await yard.ask('POST', `/demos/${demo}/start`, {})).status).toBe(200)
    await yard.deployment(demo, deployment.id, 'running')
    expect(await yard.prediction(demo, await yard.submit(demo, { word: 'back' }))).toMatchObject({
      output: 'back, version 1',
    })
    expect(await gate.runs()).toEqual(['running'])
  })

  test('remove leaves nothing behind but the event that says so', async () => {
    const { demo } = await yard.deploy('removed')
    await yard.prediction(demo, await yard.submit(demo, { word: 'kept' }))
    const gate = yard.gate('removed')
    await yard.submit(demo, { word: 'running', gate: gate.path })
    await vi.waitFor(async () => expect(await gate.runs()).toEqual(['running']))
    for (const removed of [true, false])
      expect(await yard.ask('DELETE', `/demos/${demo}`)).toMatchObject({ status: 200, body: { removed } })
    expect(await yard.remains()).toEqual(nothing)
    expect(await readdir(join(yard.folder, 'daemon/logs'))).toEqual([])
    expect(await demos()).toEqual([])
    const said = await eventsOf(yard, demo)
    expect(said).toMatchObject([{ to: 'removed', deployment: null }])
  })

  test('what is not there cannot be stopped, started, removed, seen or followed', async () => {
    const id = '0'.repeat(32)
    for (const [method, path] of [
      ['POST', `/demos/${id}/stop`],
      ['POST', `/demos/${id}/start`],
      ['POST', `/demos/${id}/redeploy`],
      ['DELETE', `/demos/${id}`],
      ['GET', `/stats/${id}`],
      ['GET', `/logs/${id}`],
    ] as const)
      expect(
        (
          await yard.ask(
            method,
            path,
            method === 'POST' ? (path.endsWith('deploy') ? { user_access_token: null } : {}) : undefined,
          )
        ).status,
        path,
      ).toBe(404)
  })
})

/** All events of a demo there are, by following them to the newest. */
async function eventsOf(yard: DaemonYard, demo: string): Promise<{ to: string; demo: string }[]> {
  const mark = await yard.trigger(await yard.push('mark'))
  const events: { to: string; demo: string }[] = []
  for await (const event of yard.events()) {
    if (event.demo === mark.demo) return events.filter((one) => one.demo === demo)
    events.push(event)
  }
  return events
}
