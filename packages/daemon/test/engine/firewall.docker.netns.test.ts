import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { type DeploymentId, type NetworkPolicy, networkPolicies, randomId } from '@origami/protocol/demo'
import Docker from 'dockerode'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { defaultLimits } from '../../src/config.ts'
import { labels, networkName } from '../../src/engine/docker/container-spec.ts'
import { DockerEngine } from '../../src/engine/docker/docker-engine.ts'
import { interfaceName } from '../../src/engine/docker/firewall/interfaces.ts'
import { isSet } from '../../src/engine/docker/firewall/script.ts'
import type { ImageRef } from '../../src/engine/engine.ts'
import { ask, type EngineUnderTest, spec, Yard } from './contract.ts'
import { far, farPorts, openFarHosts } from './far-hosts.ts'

const under: EngineUnderTest = {
  make: (folder, owner) =>
    new DockerEngine({
      folder,
      owner,
      requiresFirewall: true,
      limits: { ...defaultLimits, mirrors: [`${far.ten}/32`] },
    }),
  broken: { files: {}, says: '' },
  misshapen: [],
  endless: () => Promise.reject(new Error('there is none')),
}
const other = 'ffffffffffffffffffffffffffffffff' as Yard['demo']
const iptables = async (...args: string[]) => (await execa('/usr/sbin/iptables', ['-w', '10', ...args])).stdout

const whole = new AbortController().signal
let yard: Yard
let image: ImageRef
/** What was opened, to be closed in the order in which it was not. */
const opened = new AsyncDisposableStack()
let ownPort: string

beforeAll(async () => {
  opened.use(await openFarHosts())
  // Something of this host's own that listens at all of its addresses.
  const own: Server = createServer((socket) => socket.end('here')).listen(0, '::')
  opened.defer(() => void own.close())
  await once(own, 'listening')
  ownPort = String((own.address() as { port: number }).port)
  yard = await Yard.open(under)
  opened.defer(() => yard.close())
  for (const [index, policy] of networkPolicies.entries()) await makeNetwork(policy, index)
  image = (await yard.build()).image
})
afterAll(() => opened.disposeAsync())

/** As the engine makes it, and with IPv6, which Docker's default has not. */
async function makeNetwork(policy: NetworkPolicy, index: number): Promise<void> {
  await new Docker().createNetwork({
    Name: networkName(yard.owner, yard.demo, policy),
    Driver: 'bridge',
    Labels: { [labels.owner]: yard.owner, [labels.demo]: yard.demo },
    Options: { 'com.docker.network.bridge.name': interfaceName(yard.owner, policy, yard.demo) },
    EnableIPv6: true,
    IPAM: { Config: [{ Subnet: `fd21:4:${process.pid % 9999}:${index}::/64` }] },
  })
}

/** Starts what was built, with this policy. Returns where it answers. */
async function started(network: NetworkPolicy, demo = yard.demo) {
  const deployment = randomId() as DeploymentId
  const { id } = await yard.engine.start({ demo, deployment, image, spec: { ...spec, network } }, whole)
  return vi.waitFor(async () => {
    const { endpoint = '' } = (await yard.engine.find(id)) ?? {}
    expect(await ask(endpoint, 'exists', { path: '/' })).toBe(true)
    return { id, endpoint }
  })
}

/** Which of these a demo reaches, as `public:80`. */
async function reached(endpoint: string, places: readonly (readonly [string, string, string])[]): Promise<string[]> {
  const results = await Promise.all(
    places.map(async ([name, host, port]) => [name, port, await ask(endpoint, 'reach', { host, port })]),
  )
  return results.filter(([, , result]) => result === 'reached').map(([name, port]) => `${name}:${port}`)
}

const farPlaces = Object.entries(far).flatMap(([name, address]) =>
  farPorts.map((port) => [name, address, String(port)] as const),
)

/** All addresses of this host, those of demos' bridges included, with what listens there. */
const ownPlaces = () =>
  Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses
      .filter(({ internal, scopeid }) => !internal && !scopeid)
      .map(({ address }) => [name, address, ownPort] as const),
  )

describe('what a demo reaches from inside its container', () => {
  test.each([
    { network: 'none', reaches: [] },
    { network: 'web', reaches: ['public:80', 'public:443', 'public6:80', 'public6:443'] },
    { network: 'open', reaches: farPorts.flatMap((port) => [`public:${port}`, `public6:${port}`]) },
  ] as const)(
    'of far hosts, with `network: $network`: $reaches; of this host nothing',
    async ({ network, reaches }) => {
      const { endpoint } = await started(network)
      expect((await reached(endpoint, farPlaces)).toSorted()).toEqual(reaches.toSorted())
      const places = ownPlaces()
      expect(places.length).toBeGreaterThan(4)
      expect(await reached(endpoint, places)).toEqual([])
    },
  )

  test('no other demo, by its address and by the port that is published on this host', async () => {
    const [one, two] = [await started('open'), await started('web', other)]
    const { NetworkSettings } = await new Docker().getContainer(two.id).inspect()
    const [network] = Object.values(NetworkSettings.Networks)
    const places = [
      ['peer', network?.IPAddress ?? '', '6000'],
      ['gateway', network?.Gateway ?? '', new URL(two.endpoint).port],
    ] as const
    expect(await reached(two.endpoint, [['peer', '127.0.0.1', '6000']])).toEqual(['peer:6000'])
    expect(await reached(one.endpoint, places)).toEqual([])
  })
})

describe('what a build reaches in RUN', () => {
  /** Prints each place that it reaches, then `looked`, and waits to be ended. */
  const lookAround = (places: readonly (readonly [string, string, string])[]) => `
    import { connect } from 'node:net'
    await Promise.all(${JSON.stringify(places)}.map(([name, host, port]) => new Promise((resolve) => {
      const socket = connect({ host, port, timeout: 3000 })
      socket.once('connect', () => { console.log('reached ' + name + ':' + port); resolve() })
      for (const end of ['timeout', 'error']) socket.once(end, resolve)
    })))
    console.log('looked')
    setInterval(() => {}, 1000)`

  test('public addresses by HTTP and HTTPS, the mirrors that its operator lists, and not this host; containers of others beside it reach what they did', async () => {
    const dockerfile = 'FROM node:24-bookworm-slim\nCOPY look.mjs /\nRUN node /look.mjs\n'
    const places = [
      ...farPlaces.filter(([name]) => !name.endsWith('6')),
      ...ownPlaces().filter(([, host]) => !host.includes(':')),
    ]
    const lines: string[] = []
    const looked = Promise.withResolvers<void>()
    const over = new AbortController()
    const onLog = ({ text }: { text: string }) => {
      lines.push(text)
      if (text === 'looked') looked.resolve()
    }
    await using before = await neighbour()
    const building = yard.build(
      { files: { Dockerfile: dockerfile, 'look.mjs': lookAround(places) } },
      { onLog, signal: over.signal },
    )
    await Promise.race([looked.promise, building])
    await using after = await neighbour()
    for (const { endpoint } of [before, after])
      expect(await reached(endpoint, [['home', far.home, '6379']])).toEqual(['home:6379'])
    over.abort()
    await expect(building).rejects.toThrow()
    const reaches = lines.filter((line) => line.startsWith('reached ')).map((line) => line.slice(8))
    const allowed = [...farPorts.map((port) => `ten:${port}`), ...[53, 80, 443].map((port) => `public:${port}`)]
    expect(reaches.toSorted()).toEqual(allowed.toSorted())
    await vi.waitFor(async () => expect(await iptables('-S')).not.toContain(`${yard.owner.slice(0, 8)}-BUILD`))
  })

  /** A container of somebody else on the bridge that builds use. */
  async function neighbour(): Promise<AsyncDisposable & { endpoint: string }> {
    const HostConfig = { NetworkMode: 'bridge', PortBindings: { '6000/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] } }
    const Env = ['PORT=6000', 'ORIGAMI_HOST=0.0.0.0']
    const container = await new Docker().createContainer({
      Image: image,
      Env,
      ExposedPorts: { '6000/tcp': {} },
      HostConfig,
    })
    await container.start()
    const { NetworkSettings } = await container.inspect()
    const endpoint = `http://127.0.0.1:${NetworkSettings.Ports['6000/tcp']?.[0]?.HostPort}`
    await vi.waitFor(() => ask(endpoint, 'exists', { path: '/' }))
    return { endpoint, [Symbol.asyncDispose]: () => container.remove({ force: true }) }
  }
})

describe('the rules of a state folder', () => {
  test('come again when somebody removed them, and what they did not make stays', async () => {
    const { endpoint } = await started('web')
    const chain = `ORIGAMI-TEST-${process.pid}`
    await iptables('-N', chain)
    try {
      for (const parent of ['DOCKER-USER', 'INPUT']) {
        const jump = (await iptables('-S', parent)).split('\n').find((rule) => rule.includes(yard.owner.slice(0, 8)))
        await iptables(...(jump ?? '').replace('-A', '-D').split(' '))
      }
      expect(await reached(endpoint, [['home', far.home, '6379']])).toEqual(['home:6379'])
      await yard.engine.isolate()
      expect(await reached(endpoint, [['home', far.home, '6379']])).toEqual([])
      await yard.engine.isolate()
      const present = await iptables('-S')
      expect(present.split('\n').filter((rule) => rule.endsWith(`-j ORIGAMI-${yard.owner.slice(0, 8)}`))).toHaveLength(
        1,
      )
      expect(present).toContain(`-N ${chain}`)
    } finally {
      await iptables('-X', chain)
    }
  })

  test('go with the last network', async () => {
    await yard.engine.isolate()
    expect(isSet(yard.owner, await iptables('-S'))).toBe(true)
    await yard.clear()
    await yard.engine.forget(other)
    expect(await iptables('-S')).not.toContain(yard.owner.slice(0, 8))
  })
})
