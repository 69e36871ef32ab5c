import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Puppet } from './puppet.ts'
import { DaemonYard } from './yard.ts'

describe('nothing that a daemon waits for is waited for without an end', () => {
  let yard: DaemonYard
  let puppet: Puppet
  beforeEach(async () => {
    yard = await DaemonYard.open({ answerMs: 300 })
    puppet = new Puppet(join(yard.folder, 'puppet'))
  })
  afterEach(async () => yard[Symbol.asyncDispose]())

  test.each(['/health-check', '/', '/schema'])(
    'an instance that takes %s and never answers is unhealthy at its deadline',
    async (path) => {
      await puppet.set(`deaf ${path}`)
      const { deployment } = await yard.deploy('deaf', { ...puppet.files, '.origami': 'ready_within: 2\n' })
      expect([deployment.state, deployment.reason]).toEqual([
        'unhealthy',
        expect.stringContaining('did not answer READY'),
      ])
      expect(await yard.remains()).toEqual({ instances: 0, images: 0, checkouts: [] })
    },
  )

  test('a deploy is canceled while its instance takes a connection, never answers, and ignores SIGTERM', async () => {
    const { demo, deployment } = await yard.trigger(
      await yard.push('stubborn', {
        'origami/server.mjs': `process.on('SIGTERM', () => {})\n${puppet.files['origami/server.mjs']}`,
        '.origami': 'ready_within: 600\n',
      }),
    )
    await puppet.set('deaf /health-check')
    await yard.deployment(demo, deployment, 'health_checking')
    await vi.waitFor(async () => expect(await puppet.asked()).toBeGreaterThan(0))
    expect((await yard.ask('POST', `/deployments/${deployment}/cancel`, {})).status).toBe(200)
    expect((await yard.deployment(demo, deployment)).state).toBe('canceled')
    expect(await yard.remains()).toEqual({ instances: 0, images: 0, checkouts: [] })
  })

  test('a deployment that broke off fails once its time is over, and its demo can be deployed', async () => {
    yard.holds.add('clone')
    const link = await yard.push('broken-off')
    const { demo, deployment } = await yard.trigger(link)
    await yard.deployment(demo, deployment, 'cloning')
    await yard.ask('POST', `/deployments/${deployment}/cancel`, {})
    const db = new Database(join(yard.folder, 'daemon/daemon.db'))
    db.prepare("UPDATE deployments SET state = 'building', deadline_at = ? WHERE id = ?").run(
      new Date().toISOString(),
      deployment,
    )
    db.close()
    expect(await yard.deployment(demo, deployment)).toMatchObject({
      state: 'timed_out',
      reason: expect.stringContaining('broke off in building'),
    })
    yard.holds.clear()
    expect((await yard.deploy('broken-off')).deployment.state).toBe('running')
  })

  test('what cannot be removed from its folder of work fails no boot and no deploy, and is tried again', async () => {
    const left = join(yard.folder, 'daemon/work/left-0')
    await yard.leave()
    await mkdir(left, { recursive: true })
    // The path is longer than a path may be, so the folder cannot be removed by its name.
    const deep = 'd=$(printf "%0200d" 0); for _ in $(seq 30); do mkdir "$d" && cd "$d" || exit 1; done'
    await promisify(execFile)('bash', ['-c', deep], { cwd: left })
    await writeFile(join(yard.folder, 'daemon/work/nobodys-3'), '')
    await yard.start()
    expect((await yard.deploy('beside')).deployment.state).toBe('running')
    expect((await yard.remains()).checkouts).toEqual(['left-0'])
    await promisify(execFile)('rm', ['-rf', `${left}/${'0'.repeat(200)}`])
    await vi.waitFor(async () => expect((await yard.remains()).checkouts).toEqual([]))
  })

  test('a demo that is started after its newest version failed is never called failed while it starts', async () => {
    const { demo, deployment } = await yard.deploy('started')
    await yard.deploy('started', { '.origami': 'titel: x\n' })
    await yard.ask('POST', `/demos/${demo}/stop`, {})
    yard.holds.add('start')
    await yard.ask('POST', `/demos/${demo}/start`, {})
    await yard.deployment(demo, deployment.id, 'starting')
    expect(await yard.detail(demo)).toMatchObject({ status: 'building', reason: null })
    yard.holds.clear()
    await yard.deployment(demo, deployment.id, 'running')
    expect(await yard.detail(demo)).toMatchObject({ status: 'running' })
  })

  test('a demo that is started while a round still removes what was left of it is not removed with that', async () => {
    const { demo, deployment } = await yard.deploy('left', puppet.files)
    yard.holds.add('remove')
    yard.engine.faults.set('instancesOf', 1)
    await yard.ask('POST', `/demos/${demo}/stop`, {})
    await vi.waitFor(() => expect(yard.engine.removing.size).toBe(1))
    await yard.ask('POST', `/demos/${demo}/start`, {})
    // This is long enough to start it too, if it were not waited for.
    await yard.deploy('meanwhile', puppet.files)
    yard.holds.clear()
    await yard.deployment(demo, deployment.id, 'running')
    await yard.rounds(2)
    expect(await yard.log(demo)).not.toContain('It exited at once')
    expect(await yard.log(demo)).not.toContain('Starting it again')
    expect(await yard.detail(demo)).toMatchObject({ status: 'running' })
  })

  test('stop is stored, and ends by itself, also while the engine does not answer', async () => {
    const { demo, deployment } = await yard.deploy('stopped', puppet.files)
    yard.engine.faults.set('instancesOf', 1).set('list', 1)
    expect((await yard.ask('POST', `/demos/${demo}/stop`, {})).status).toBe(200)
    expect(await yard.deployment(demo, deployment.id)).toMatchObject({ state: 'stopped' })
    await vi.waitFor(async () => expect((await yard.remains()).instances).toBe(0))
  })
})
