import { existsSync } from 'node:fs'
import { logger } from '@origami/host/logger'
import PQueue from 'p-queue'
import type { EngineLimits } from '../../engine.ts'
import { containerEvents } from '../container-events.ts'
import { labels } from '../container-spec.ts'
import type { DockerClient } from '../docker-client.ts'
import { changeRules, families, presentRules } from './iptables.ts'
import { nameservers } from './nameservers.ts'
import type { BuildBridge, RulesAbout } from './rules.ts'
import { isSet, scriptThatRemoves, scriptThatSets } from './script.ts'

const log = logger('engine')
const bridgeName = 'com.docker.network.bridge.name'

export interface FirewallOptions {
  readonly client: DockerClient
  /** The random id of the state folder, whose rules these are. */
  readonly owner: string
  readonly limits: Pick<EngineLimits, 'buildNetwork' | 'mirrors'>
  /** Whether demos and builds are refused where rules cannot be set, because strangers' code may be among them. */
  readonly isRequired: boolean
}

/**
 * Rules of the host's firewall that keep demos and builds from the host, from each other and from private networks.
 * They stand while this state folder has a network, or a build is under way.
 */
export class Firewall {
  private readonly options: FirewallOptions
  private readonly queue = new PQueue({ concurrency: 1 })
  private newest: Promise<void> = Promise.resolve()
  private builds = 0
  private failure: string | undefined

  constructor(options: FirewallOptions) {
    this.options = options
  }

  /** Why rules could not be set the last time. Undefined: they could, or were not needed yet. */
  get problem(): string | undefined {
    return this.failure
  }

  /**
   * Sets the rules as they must be now, or removes them, whatever somebody did to them. Calls that wait together share
   * one look. Never rejects.
   */
  settle(): Promise<void> {
    if (this.queue.size === 0) this.newest = this.queue.add(() => this.once())
    return this.newest
  }

  /** The same, before something runs. Throws Error where required rules cannot be set, or the reason of `signal`. */
  async ensure(signal: AbortSignal): Promise<void> {
    await endsWith(signal, this.settle())
    if (this.failure !== undefined && this.options.isRequired)
      throw new Error(
        `No rules of a firewall keep this from the host's network: ${this.failure}. ` +
          'Its operator mends that, or starts Origami with --unisolated',
      )
  }

  /** Keeps builds to what they may reach while `work` runs. Builds share their bridge with containers of others. */
  async aroundBuild<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    if (this.options.limits.buildNetwork === 'open') return work()
    const over = new AbortController()
    this.builds += 1
    let following: Promise<void> | undefined
    try {
      await this.ensure(signal)
      following = this.followContainers(over.signal)
      return await work()
    } finally {
      this.builds -= 1
      over.abort()
      await following
      // A build that ended does not wait for a Docker that is silent.
      void this.settle()
    }
  }

  private async once(): Promise<void> {
    try {
      const about = await this.about()
      await Promise.all(families().map((family) => (about ? setFor(about, family) : this.removeFor(family))))
      if (this.failure !== undefined) log.info('Rules of the firewall can be set again.')
      this.failure = undefined
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (this.failure !== reason)
        log.error('demos are not kept from the network of this host, since rules cannot be set', error)
      this.failure = reason
    }
  }

  /** Undefined: no rule is needed. */
  private async about(): Promise<RulesAbout | undefined> {
    const { client, owner } = this.options
    const label = [`${labels.owner}=${owner}`]
    const networks = await client.within().listNetworks({ filters: { label } })
    if (networks.length === 0 && this.builds === 0) return undefined
    const bridges = networks.map(({ Id, Options }) => ({
      name: Options?.[bridgeName] ?? `br-${Id.slice(0, 12)}`,
      isNamed: Options?.[bridgeName] !== undefined,
    }))
    const builds = this.builds > 0 ? await this.buildBridge() : undefined
    // One of them alone may be about to be removed.
    const names = [...bridges.map(({ name }) => name), ...(builds ? [builds.bridge] : [])]
    if (!names.some((name) => existsSync(`/sys/class/net/${name}`)))
      throw new Error(`the bridge ${names[0]} is not on this host: Docker runs on another, or without root`)
    const unnamed = bridges.flatMap(({ name, isNamed }) => (isNamed ? [] : [name]))
    return { owner, unnamed, nameservers: await nameservers(), builds }
  }

  private async buildBridge(): Promise<BuildBridge> {
    const { client, limits } = this.options
    const docker = client.within()
    const [network, containers] = await Promise.all([
      docker.getNetwork('bridge').inspect(),
      docker.listContainers({ filters: { network: ['bridge'] } }),
    ])
    const addresses = containers.flatMap(({ NetworkSettings }) => {
      const { IPAddress = '', GlobalIPv6Address = '' } = NetworkSettings.Networks.bridge ?? {}
      return [IPAddress, GlobalIPv6Address].filter((address) => address !== '')
    })
    return { bridge: network.Options?.[bridgeName] ?? 'docker0', mirrors: limits.mirrors, containers: addresses.sort() }
  }

  /** A container that begins on the bridge of builds is no build, and is excepted at once. */
  private async followContainers(signal: AbortSignal): Promise<void> {
    const { client } = this.options
    let known: string | undefined
    for await (const _event of containerEvents(client, { type: ['container'], event: ['start', 'die'] }, signal)) {
      try {
        const containers = JSON.stringify((await this.buildBridge()).containers)
        if (known !== undefined && known !== containers) await this.settle()
        known = containers
      } catch (error) {
        log.error('containers beside a build could not be looked at; the next one is', error)
      }
    }
  }

  private async removeFor(family: 'ipv4' | 'ipv6'): Promise<void> {
    const script = scriptThatRemoves(this.options.owner, await presentRules(family))
    if (script) await changeRules(family, script)
  }
}

/** Rejects with the signal's reason as soon as it aborts, and lets the work go on. */
async function endsWith(signal: AbortSignal, work: Promise<void>): Promise<void> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<void>()
  const end = () => aborted.resolve()
  signal.addEventListener('abort', end, { once: true })
  await Promise.race([work, aborted.promise]).finally(() => signal.removeEventListener('abort', end))
  signal.throwIfAborted()
}

async function setFor(about: RulesAbout, family: 'ipv4' | 'ipv6'): Promise<void> {
  await changeRules(family, scriptThatSets(about, family, await presentRules(family)))
  if (!isSet(about.owner, await presentRules(family))) throw new Error('the rules that were set are not there')
}
