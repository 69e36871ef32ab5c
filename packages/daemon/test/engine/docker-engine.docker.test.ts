import { type DeploymentId, manifestSchema } from '@origami/protocol/demo'
import Docker from 'dockerode'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { containerSpec } from '../../src/engine/docker/container-spec.ts'
import { DockerEngine } from '../../src/engine/docker/docker-engine.ts'
import type { InstanceExit, InstanceId } from '../../src/engine/engine.ts'
import { ask, type EngineUnderTest, engineContract, spec, Yard } from './contract.ts'

// There is no `docker` program in this PATH, because the engine calls Docker's API itself.
process.env.PATH = '/nowhere'

const from = 'FROM node:24-bookworm-slim\n'
const under: EngineUnderTest = {
  make: (folder, owner) => new DockerEngine({ folder, owner }),
  broken: { files: { Dockerfile: `${from}RUN echo weights are missing && exit 3\n` }, says: 'weights are missing' },
  misshapen: [
    { what: 'no Dockerfile', files: {}, without: ['Dockerfile'], says: 'origami bundle' },
    { what: 'an empty Dockerfile', files: { Dockerfile: '' }, says: 'line `FROM image`' },
    {
      what: 'a Dockerfile that an expression takes for ever to read',
      files: { Dockerfile: `#!${' '.repeat(30_000)}${'\n'.repeat(30_000)}` },
      says: 'line `FROM image`',
    },
    { what: 'a large .dockerignore', files: { '.dockerignore': '#'.repeat(65_537) }, says: 'at most 64 KiB' },
    ...[
      `# syntax=evil/x\n${from}`,
      `// syntax = evil/x\n${from}`,
      `#!/x\n//syntax=evil/x\n${from}`,
      '{"syntax":"evil/x"}',
    ].map((Dockerfile) => ({
      what: `a frontend of its own, ${Dockerfile.slice(0, 9)}`,
      files: { Dockerfile },
      says: 'syntax',
    })),
  ],
  async endless() {
    const seconds = `86${Math.floor(Math.random() * 1e6)}`
    return {
      files: { Dockerfile: `${from}RUN echo begun && sleep ${seconds}\n` },
      word: seconds,
      begun: (lines) => lines.includes('begun'),
      end: () => {},
    }
  },
}

engineContract('docker', under)

test('the images that a build begins with are told, each with the id that it has', async () => {
  const yard = await Yard.open(under)
  try {
    const Dockerfile =
      'FROM node:24-bookworm-slim AS first\nFROM python:3.12-slim-bookworm\nCOPY --from=first /etc/os-release /\n'
    const images: string[] = []
    const folder = await yard.bundle({ files: { Dockerfile } })
    const request = { demo: yard.demo, deployment: 'd'.repeat(26) as DeploymentId, user: 'ann', folder }
    const onBaseImages = (found: readonly string[]) => void images.push(...found)
    const manifest = manifestSchema.parse({})
    await yard.engine.build({ ...request, manifest, onBaseImages, onLog: () => {} }, new AbortController().signal)
    const idOf = async (name: string) => (await new Docker().getImage(name).inspect()).Id
    const names = ['node:24-bookworm-slim', 'python:3.12-slim-bookworm']
    const expected = await Promise.all(names.map(async (name) => `docker.io/library/${name} ${await idOf(name)}`))
    expect(images.toSorted()).toEqual(expected)
  } finally {
    await yard.close()
  }
})

describe('a container that was made and not started', () => {
  let yard: Yard
  beforeAll(async () => {
    yard = await Yard.open(under)
  })
  afterAll(async () => yard.close())

  test('is seen as that, is started when its deployment is, and can be removed', async () => {
    const built = await yard.build()
    const request = { ...built, spec }
    const make = async () => {
      const container = containerSpec(request, { owner: yard.owner }, {})
      const { id } = await new Docker().createContainer({
        ...container,
        HostConfig: { ...container.HostConfig, NetworkMode: 'none' },
      })
      return id as InstanceId
    }
    const id = await make()
    const created = { id, deployment: built.deployment, state: 'created', endpoint: undefined }
    expect(await yard.engine.find(id)).toMatchObject(created)
    expect(await yard.engine.list()).toMatchObject([created])
    expect(await yard.engine.stop(id, 0)).toBe(false)
    expect(await yard.engine.start(request, new AbortController().signal)).toMatchObject({ id, state: 'running' })
    expect(await yard.engine.remove(id)).toBe(true)
    expect(await yard.engine.remove(await make())).toBe(true)
    expect(await yard.engine.list()).toEqual([])
  })
})

describe('what a demo finds inside its container', () => {
  let yard: Yard
  beforeAll(async () => {
    yard = await Yard.open(under)
  })
  afterEach(async () => yard.clear(), 60_000)
  afterAll(async () => yard.close())

  test('no capability, no way to gain one, the default seccomp filter, and not root', async () => {
    const { endpoint } = await yard.running()
    const status = String(await ask(endpoint, 'read', { path: '/proc/self/status' }))
    expect(status).toMatch(/^CapEff:\t0+$/m)
    expect(status).toMatch(/^CapBnd:\t0+$/m)
    expect(status).toMatch(/^NoNewPrivs:\t1$/m)
    expect(status).toMatch(/^Seccomp:\t2$/m)
    expect(status).toMatch(/^Uid:\t1000\t1000\t1000\t1000$/m)
    expect(status).toMatch(/^Gid:\t1000\t1000\t1000\t1000$/m)
    expect(status).toMatch(/^Groups:\t(1000)? *$/m)
    expect(await ask(endpoint, 'identity')).toEqual({ uid: 1000, gid: 1000 })
  })

  test('no group that its image puts its user in', async () => {
    const dockerfile = `${from}RUN echo 'docker:x:0:node' >> /etc/group && echo 'disk:x:6:node' >> /etc/group\nWORKDIR /app\nCOPY . .\nUSER 1000\nCMD ["node", "origami/server.mjs"]\n`
    const { endpoint } = await yard.running({}, undefined, { Dockerfile: dockerfile })
    expect(String(await ask(endpoint, 'read', { path: '/proc/self/status' }))).toMatch(/^Groups:\t(1000)? *$/m)
  })

  test('no device but those that every container has, and settings of the kernel that it cannot change', async () => {
    const { endpoint } = await yard.running()
    const harmless = [
      'core',
      'fd',
      'full',
      'mqueue',
      'null',
      'ptmx',
      'pts',
      'random',
      'shm',
      'stderr',
      'stdin',
      'stdout',
      'tty',
      'urandom',
      'zero',
    ]
    const devices = (await ask(endpoint, 'list', { path: '/dev' })) as string[]
    expect(devices.filter((name) => !harmless.includes(name))).toEqual([])
    for (const path of [
      '/proc/sys/kernel/core_pattern',
      '/proc/sysrq-trigger',
      '/proc/sys/net/ipv4/ip_forward',
      '/sys/kernel/profiling',
    ])
      expect(await ask(endpoint, 'write', { path })).toMatch(/^(EROFS|EACCES|ENOENT)$/)
  })

  test('no more processes than it may have, and it answers when it tried', async () => {
    const { endpoint } = await yard.running({ pids: 48 })
    expect(await ask(endpoint, 'forks', { most: '200' })).toEqual({ started: expect.any(Number), code: 'EAGAIN' })
    expect(await ask(endpoint, 'exists', { path: '/' })).toBe(true)
  })

  test('a /tmp of the size that it asked for, from which nothing is run unless it asked for that', async () => {
    const { endpoint } = await yard.running({ tmpBytes: 8 * 1024 ** 2 })
    expect(await ask(endpoint, 'run', { path: '/tmp/program' })).toBe('EACCES')
    expect(await ask(endpoint, 'fill', { path: '/tmp/x', megabytes: '6' })).toBe('done')
    expect(await ask(endpoint, 'fill', { path: '/tmp/y', megabytes: '6' })).toBe('ENOSPC')
    const compiling = await yard.running({ tmpExec: true })
    expect(await ask(compiling.endpoint, 'run', { path: '/tmp/program' })).toBe('ran')
    expect(await ask(compiling.endpoint, 'run', { path: '/dev/shm/program' })).toBe('EACCES')
  })

  test('a file system that cannot be written, but for /tmp; no socket of Docker', async () => {
    const { endpoint } = await yard.running()
    expect(await ask(endpoint, 'write', { path: '/app/x' })).toBe('EROFS')
    expect(await ask(endpoint, 'write', { path: '/tmp/x' })).toBe('done')
    expect(await ask(endpoint, 'exists', { path: '/var/run/docker.sock' })).toBe(false)
  })

  test('an image that says it is root is not', async () => {
    const dockerfile = `${from}WORKDIR /app\nCOPY . .\nUSER root\nCMD ["node", "origami/server.mjs"]\n`
    const built = await yard.build({ files: { Dockerfile: dockerfile } })
    const { id } = await yard.engine.start({ ...built, spec }, new AbortController().signal)
    const { Config } = await new Docker().getContainer(id).inspect()
    expect(Config.User).toBe('1000:1000')
  })

  test('memory in place of the volumes that its image declares', async () => {
    const dockerfile = `${from}WORKDIR /app\nCOPY . .\nVOLUME /data /more\nCMD ["node", "origami/server.mjs"]\n`
    const { id, endpoint } = await yard.running({ memoryBytes: 96 * 1024 ** 2 }, undefined, { Dockerfile: dockerfile })
    expect(await ask(endpoint, 'write', { path: '/data/x' })).toBe('done')
    expect(await ask(endpoint, 'fill', { path: '/data/y', megabytes: '60' })).toBe('ENOSPC')
    expect(await ask(endpoint, 'write', { path: '/more/x' })).toBe('done')
    const { Mounts } = await new Docker().getContainer(id).inspect()
    expect(Mounts.map(({ Type }) => Type).toSorted()).toEqual(['bind', 'tmpfs', 'tmpfs'])
  })

  test('its limits, as the kernel holds them', async () => {
    const { id } = await yard.running({ memoryBytes: 96 * 1024 ** 2, cpus: 0.5, pids: 48 })
    const { HostConfig } = await new Docker().getContainer(id).inspect()
    expect(HostConfig).toMatchObject({
      Memory: 96 * 1024 ** 2,
      MemorySwap: 96 * 1024 ** 2,
      NanoCpus: 5e8,
      PidsLimit: 48,
    })
    const { memory_stats, pids_stats } = (await new Docker()
      .getContainer(id)
      .stats({ stream: false })) as Docker.ContainerStats
    expect([memory_stats.limit, pids_stats?.limit]).toEqual([96 * 1024 ** 2, 48])
  })

  test('out of memory, it alone ends, and that is told', async () => {
    const gone = new AbortController()
    const exits = yard.engine.exits(gone.signal)[Symbol.asyncIterator]()
    const exit = exits.next()
    const [greedy, modest] = [await yard.running(), await yard.running()]
    await ask(greedy.endpoint, 'grow').catch(() => {})
    expect(((await exit) as { value: InstanceExit }).value).toMatchObject({ id: greedy.id, outOfMemory: true })
    expect(await ask(modest.endpoint, 'exists', { path: '/' })).toBe(true)
    gone.abort()
    await exits.next()
  })

  test('no way to another demo', async () => {
    const other = 'ffffffffffffffffffffffffffffffff' as typeof yard.demo
    const [one, two] = [await yard.running(), await yard.running({}, other)]
    const { NetworkSettings } = await new Docker().getContainer(two.id).inspect()
    const [network] = Object.values(NetworkSettings.Networks)
    const host = network?.IPAddress ?? ''
    expect(await ask(two.endpoint, 'reach', { host, port: '6000' })).toBe('reached')
    expect(await ask(one.endpoint, 'reach', { host, port: '6000' })).not.toBe('reached')
    expect(
      await ask(one.endpoint, 'reach', { host: network?.Gateway ?? '', port: new URL(two.endpoint).port }),
    ).not.toBe('reached')
    await yard.clear()
    await yard.engine.forget(other)
  })

  test('what was in .git is not in the image', async () => {
    const built = await yard.build({ files: { '.git/config': 'token', 'kept.txt': 'kept' } })
    const { id } = await yard.engine.start(
      {
        ...built,
        spec,
      },
      new AbortController().signal,
    )
    const { endpoint = '' } = (await yard.engine.list()).find((entry) => entry.id === id) ?? {}
    await vi.waitFor(async () => expect(await ask(endpoint, 'exists', { path: '/app/kept.txt' })).toBe(true))
    expect(await ask(endpoint, 'exists', { path: '/app/.git' })).toBe(false)
  })

  const networks = () => new Docker().listNetworks({ filters: { label: [`io.origami.owner=${yard.owner}`] } })

  test('a demo has its network once it was built, and none while no build of it went well', async () => {
    await expect(yard.build(under.broken)).rejects.toThrow('The build failed')
    expect(await networks()).toEqual([])
    await yard.build()
    expect(await networks()).toHaveLength(1)
    await expect(yard.build(under.broken)).rejects.toThrow('The build failed')
    expect(await networks()).toHaveLength(1)
  })

  test('a demo that is forgotten leaves no network', async () => {
    await yard.running()
    expect(await networks()).toHaveLength(1)
    await yard.clear()
    expect(await networks()).toEqual([])
  })
})

describe('a runtime that its operator chose', () => {
  const make = (runtime: string) => new DockerEngine({ owner: 'nobody', runtime })
  const whole = new AbortController().signal

  test('runs demos', async () => {
    // Another name of runc, which Docker knows without being told.
    const runtime = 'io.containerd.runc.v2'
    const yard = await Yard.open({ ...under, make: (folder, owner) => new DockerEngine({ folder, owner, runtime }) })
    try {
      const { id } = await yard.running()
      expect((await new Docker().getContainer(id).inspect()).HostConfig.Runtime).toBe(runtime)
    } finally {
      await yard.close()
    }
  })

  test('and that Docker does not know is refused at the start, with those that it knows', async () => {
    await expect(make('runsc').ready(whole)).rejects.toThrow(/expected a runtime that Docker knows \(.*runc.*got runsc/)
  })
})
