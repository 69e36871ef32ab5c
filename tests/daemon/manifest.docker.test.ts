import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { InstanceId } from '../../packages/daemon/src/engine/engine.ts'
import { DaemonYard } from './yard.ts'

/** Puts in a container's place one like it that was never started, as a daemon leaves that dies in between. */
async function unstarted(id: string): Promise<InstanceId> {
  const docker = new Docker()
  const { Name, Config, HostConfig } = await docker.getContainer(id).inspect()
  await docker.getContainer(id).remove({ force: true })
  const { Image, Labels, User, Env, ExposedPorts } = Config
  const like = { name: Name.slice(1), Image, Labels, User, Env, ExposedPorts, HostConfig }
  return (await docker.createContainer(like)).id as InstanceId
}

describe('what .origami says of its container is so', () => {
  let yard: DaemonYard
  beforeAll(async () => {
    yard = await DaemonYard.open({}, 'docker')
  })
  afterAll(async () => yard[Symbol.asyncDispose](), 60_000)

  test('memory, cpus and port; and one that was made before a crash, and not started, is made anew and serves', async () => {
    const { demo, deployment } = await yard.deploy('limits', { '.origami': 'memory: 300m\ncpus: 0.75\nport: 7123\n' })
    expect([deployment.state, deployment.reason]).toEqual(['running', null])
    const { instance_id, port } = await yard.detail(demo)
    const { HostConfig, NetworkSettings } = await new Docker().getContainer(instance_id ?? '').inspect()
    expect(HostConfig).toMatchObject({ Memory: 300 * 1024 ** 2, NanoCpus: 7.5e8 })
    expect(NetworkSettings.Ports['7123/tcp']).toEqual([{ HostIp: '127.0.0.1', HostPort: String(port) }])
    expect(await yard.prediction(demo, await yard.submit(demo, { word: 'there' }))).toMatchObject({
      output: 'there, version 1',
    })
    await yard.leave()
    const id = await unstarted(instance_id ?? '')
    await yard.start()
    await vi.waitFor(async () => expect(await yard.engine.list()).toMatchObject([{ state: 'running' }]))
    expect(await yard.engine.find(id)).toBeUndefined()
    expect(await yard.prediction(demo, await yard.submit(demo, { word: 'again' }))).toMatchObject({
      output: 'again, version 1',
    })
  })

  test('one that needs more memory than it has ends as oom, with what gives it more', async () => {
    const greedy = 'const kept = []\nfor (;;) kept.push(Buffer.alloc(8 * 1024 ** 2, 1))\n'
    const { deployment } = await yard.deploy('greedy', { 'origami/server.mjs': greedy, '.origami': 'memory: 64m\n' })
    expect([deployment.state, deployment.reason]).toEqual(['oom', expect.stringContaining('`memory` in .origami')])
  })
})
