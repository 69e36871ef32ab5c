import type { DemoId, DeploymentId } from '@origami/protocol/demo'
import { describe, expect, test } from 'vitest'
import { containerSpec } from '../../src/engine/docker/container-spec.ts'
import type { ImageRef } from '../../src/engine/engine.ts'

const request = {
  demo: '0123456789abcdef0123456789abcdef' as DemoId,
  deployment: 'deployment1' as DeploymentId,
  image: 'sha256:abc' as ImageRef,
  spec: {
    name: 'digits',
    bodyBytes: 1000,
    fileBytes: 2000,
    port: 6000,
    memoryBytes: 1024 ** 3,
    cpus: 1.5,
    pids: 100,
    network: 'web' as const,
    tmpBytes: 512 * 1024 ** 2,
    tmpExec: false,
  },
}

describe("a stranger's container", () => {
  const { HostConfig = {}, User } = containerSpec(request, { owner: 'me' }, {})

  test('has no capability, gains none, and is not root', () => {
    expect(HostConfig.CapDrop).toEqual(['ALL'])
    expect(HostConfig.SecurityOpt).toContain('no-new-privileges')
    expect(HostConfig.ReadonlyRootfs).toBe(true)
    expect(User).toBe('1000:1000')
  })

  test.each([undefined, '', '0', 'root', '0:0', 'demo', '1000:root', '-1', '0:5', '01', '99999999999'])(
    'an image that says user %j runs as 1000, in a group that is not that of root',
    (User) => {
      expect(containerSpec(request, { owner: 'me' }, { User }).User).toBe('1000:1000')
    },
  )

  test.each([
    ['4711:100', '4711:100'],
    ['4711', '4711:4711'],
    ['4711:0', '4711:4711'],
  ])('an image that says user %j runs as %s: numbers but 0 are kept', (User, runs) => {
    expect(containerSpec(request, { owner: 'me' }, { User }).User).toBe(runs)
  })

  test('has limits, and loopback alone reaches it', () => {
    expect(HostConfig).toMatchObject({ Memory: 1024 ** 3, MemorySwap: 1024 ** 3, NanoCpus: 1.5e9, PidsLimit: 100 })
    expect(HostConfig.PortBindings).toEqual({ '6000/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] })
    expect(HostConfig).not.toHaveProperty('Privileged')
    expect(HostConfig).not.toHaveProperty('Binds')
    expect(HostConfig.Mounts).toEqual([])
    expect(HostConfig.ShmSize).toBe(1024 ** 3 / 2)
    expect(HostConfig.Ulimits).toEqual([
      { Name: 'nofile', Soft: 16_384, Hard: 16_384 },
      { Name: 'core', Soft: 0, Hard: 0 },
    ])
  })

  test('has folders in memory where its image declares volumes, and no disk of the host', () => {
    const Volumes = { '/data': {}, '/data/': {}, '/tmp': {}, '/mnt/inputs': {} }
    const { HostConfig: limited } = containerSpec(request, { owner: 'me' }, { Volumes }, '/state/inputs/deployment1')
    expect(limited?.Mounts?.filter(({ Type }) => Type !== 'bind')).toEqual([
      { Type: 'tmpfs', Source: '', Target: '/data', TmpfsOptions: { SizeBytes: 1024 ** 3 / 2, Mode: 0o1777 } },
    ])
  })

  test('sees nothing of the host but the folder of its inputs, and can only read there', () => {
    const { HostConfig: with_, Env } = containerSpec(request, { owner: 'me' }, {}, '/state/inputs/deployment1')
    expect(with_).toEqual({
      ...HostConfig,
      Mounts: [
        {
          Type: 'bind',
          Source: '/state/inputs/deployment1',
          Target: '/mnt/inputs',
          ReadOnly: true,
          BindOptions: { Propagation: 'rprivate' },
        },
      ],
    })
    expect(Env).toContain('ORIGAMI_INPUTS=/mnt/inputs')
  })
})
