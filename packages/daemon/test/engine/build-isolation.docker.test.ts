import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomId } from '@origami/protocol/demo'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultLimits } from '../../src/config.ts'
import { limitBuilds } from '../../src/engine/docker/build-limits.ts'
import { DockerEngine } from '../../src/engine/docker/docker-engine.ts'
import { BuildError } from '../../src/engine/engine.ts'
import { type EngineUnderTest, Yard } from './contract.ts'

const from = 'FROM node:24-bookworm-slim\n'
const under: EngineUnderTest = {
  make: (folder, owner) => new DockerEngine({ folder, owner }),
  broken: { files: {}, says: '' },
  misshapen: [],
  endless: () => Promise.reject(new Error('no build here is endless')),
}

describe('builds of two accounts', () => {
  let yard: Yard
  beforeAll(async () => {
    yard = await Yard.open(under)
  })
  afterAll(async () => yard.close())

  /** What a build of an account printed. */
  const printed = async (user: string, ...steps: string[]): Promise<string> => {
    const lines: string[] = []
    const Dockerfile = from + steps.map((step) => `RUN ${step}\n`).join('')
    await yard.build({ files: { Dockerfile } }, { user, onLog: ({ text }) => void lines.push(text) })
    // A step is shown too, and has the same words in it.
    return lines.filter((line) => !line.startsWith('[')).join('\n')
  }

  test('share no folder of a cache, and each finds its own again', async () => {
    const cache = '--mount=type=cache,id=shared,target=/cache'
    const secret = `secret-${randomId()}`
    await printed('ann', `${cache} echo ${secret} > /cache/secret`)
    const read = (times: number) => `${cache} cat /cache/secret || echo nothing ${secret} ${times} | tr a-z A-Z`
    expect(await printed('bob', read(1))).not.toContain(secret)
    expect(await printed('ann', read(2))).toContain(secret)
  })

  test('share no layer, and each uses its own again', async () => {
    const make = `echo "made $(od -An -N8 -tx8 /dev/urandom)" | tee /made # ${randomId()}`
    const made = async (user: string) =>
      /^made.*$/m.exec(await printed(user, make, `cat /made # ${user} ${randomId()}`))?.[0]
    const ann = await made('ann')
    expect(ann).toMatch(/made +[0-9a-f]{16}/)
    expect(await made('bob')).not.toBe(ann)
    expect(await made('ann')).toBe(ann)
  })

  test.each(['--network=host', '--security=insecure'])('have no %s', async (flag) => {
    await expect(printed('ann', `${flag} true`)).rejects.toThrow(BuildError)
  })

  test('see neither devices nor the network of the host, and run without most capabilities', async () => {
    const seen = await printed('ann', `cat /proc/net/route /proc/self/status; ls /dev # ${randomId()}`)
    expect(seen).toMatch(/Seccomp:\s+2/)
    expect(seen).toMatch(/CapEff:\s+00000000a80425fb/)
    expect(seen).not.toMatch(/^(sd|vd|nvme|kmsg|mem)/m)
    const interfaces = (await readFile('/proc/net/route', 'utf8')).match(/^docker\d+/m)
    if (interfaces) expect(seen).not.toContain(interfaces[0])
  })
})

describe('the limits of builds', () => {
  let root: string
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'origami-cgroups-'))
  })
  afterAll(() => rm(root, { recursive: true }))
  const docker = { isLocal: true, cgroupDriver: 'cgroupfs' }
  const folderWith = async (folder: string, names: string[]) => {
    await mkdir(join(root, folder), { recursive: true })
    for (const name of names) await writeFile(join(root, folder, name), 'max')
  }
  const limits = { ...defaultLimits, buildMemoryBytes: 1024 ** 3, buildCpus: 0.5, buildPids: 100 }

  test('are written in the older layout of cgroups, each where its controller is', async () => {
    await folderWith('memory/docker/buildkit', ['memory.limit_in_bytes'])
    await folderWith('pids/docker/buildkit', ['pids.max'])
    await folderWith('cpu/docker/buildkit', ['cpu.cfs_quota_us', 'cpu.cfs_period_us'])
    const found = await limitBuilds(limits, docker, root)
    expect(found.map(({ what, limit, why }) => ({ what, limit, why }))).toEqual([
      { what: 'memory', limit: '1073741824', why: undefined },
      { what: 'processes', limit: '100', why: undefined },
      { what: 'CPU', limit: '50000', why: undefined },
    ])
    expect(found.map(({ step }) => step?.value)).toEqual(['536870912', '50', undefined])
  })

  test('are written in the newer layout, all in one folder', async () => {
    await writeFile(join(root, 'cgroup.controllers'), 'cpu memory pids')
    await folderWith('docker/buildkit', ['memory.max', 'pids.max', 'cpu.max'])
    const found = await limitBuilds(limits, docker, root)
    expect(found.map(({ limit }) => limit)).toEqual(['1073741824', '100', '50000 100000'])
  })

  test.each([
    ['a controller that is not there', docker, 'CPU', 'cannot be written'],
    ['a Docker elsewhere', { ...docker, isLocal: false }, 'memory', 'another host'],
    ['another driver of cgroups', { ...docker, cgroupDriver: 'systemd' }, 'processes', 'native.cgroupdriver'],
  ])('that do not hold for %s are told as that', async (_why, how, what, says) => {
    await rm(join(root, 'docker/buildkit/cpu.max'), { force: true })
    const found = await limitBuilds(limits, how, root)
    expect(found.find((one) => one.what === what)).toMatchObject({
      limit: undefined,
      why: expect.stringContaining(says),
    })
  })
})
