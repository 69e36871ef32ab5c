import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { DaemonConfig } from '@origami/daemon'
import { type DaemonHealth, type ForgeEntry, forgesSchema, github } from '@origami/protocol/control'
import type { WebConfig, WebSecrets } from '@origami/web'
import { checkoutFolder } from './checkout.ts'
import { env } from './env.ts'
import { Failure } from './failure.ts'
import type { Settings } from './settings/read-settings.ts'

const askAgainMs = 1000

/** Reads the table of forges when the settings name a file. Throws Failure that says what is wrong in it. */
export async function readForges({ values: { forges } }: Pick<Settings, 'values'>): Promise<readonly ForgeEntry[]> {
  if (typeof forges !== 'string') return forges ?? [github]
  const text = await readFile(forges, 'utf8').catch((cause: unknown) => {
    throw new Failure(`--forges: cannot read ${forges}: ${cause instanceof Error ? cause.message : cause}`)
  })
  const parsed = forgesSchema.safeParse(parseJson(text, forges))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new Failure(`--forges: ${forges}: ${issue?.path.join('.')}: ${issue?.message}`)
}

export function daemonConfig({ values, limits }: Settings, forges: readonly ForgeEntry[]): DaemonConfig {
  const data = join(values.data, 'daemon')
  return {
    data,
    host: values['daemon.host'],
    port: values.daemon_port,
    tls: tlsFiles(values['daemon.certificates'] ?? join(data, 'tls')),
    engine: values.engine,
    runtime: values.isolation,
    forges,
    environment: env.all,
    limits: limits.daemon,
  }
}

export function webConfig({ values, limits }: Settings, forges: readonly ForgeEntry[], daemonUrl: string): WebConfig {
  const data = join(values.data, 'web')
  return {
    data,
    host: values.host,
    port: values.port,
    publicUrl: values.public_url,
    daemon: { url: daemonUrl, tls: tlsFiles(join(data, 'tls')) },
    forges,
    deployers: values.deployers,
    networks: values.private_networks,
    allowedHosts: values.allowed_hosts,
    trustedProxies: values.trusted_proxies,
    proxyHops: values.proxy_hops,
    ui: join(checkoutFolder, 'packages/web/dist/ui'),
    limits: limits.web,
  }
}

/** The OAuth apps that the environment configures, at most one for each forge. */
export function webSecrets(forges: readonly ForgeEntry[]): WebSecrets {
  const apps = forges.flatMap(({ host }) => {
    const app = env.oauth(host)
    return app ? [[host, app] as const] : []
  })
  return { oauth: Object.fromEntries(apps) }
}

/** By what strangers can deploy here. Undefined: all demos are the operator's own. */
async function strangersBy({ values }: Settings, host = values.host): Promise<string | undefined> {
  const hosts = [host, ...(values.public_url ? [new URL(values.public_url).hostname] : [])]
  const reached = hosts.find((each) => !isLoopback(each))
  if (reached !== undefined) return `${reached} is not loopback`
  if (values.deployers.length > 0) return `${values.deployers.join(', ')} may deploy`
  const { hasDeployers } = await import('@origami/web/has-deployers')
  return (await hasDeployers(join(values.data, 'web'))) ? 'others may deploy (`origami deployers`)' : undefined
}

/**
 * Refuses strangers' demos where nothing keeps them from what is the operator's: in an engine that does not isolate
 * demos, or on a host where no rules of a firewall can be set. Returns what the daemon is told.
 */
export async function refuseUntrusted(
  settings: Settings,
  host?: string,
): Promise<Pick<DaemonConfig, 'requiresFirewall'>> {
  const { values } = settings
  const strangers = await strangersBy(settings, host)
  if (strangers === undefined) return { requiresFirewall: false }
  const { firewallProblem, guaranteesOf } = await import('@origami/daemon')
  if (!guaranteesOf[values.engine].isolation) {
    if (values.trust_demos) return { requiresFirewall: false }
    throw new Failure(
      `the ${values.engine} engine isolates nothing, and ${strangers}: use --engine docker, or --trust-demos when all code is your own`,
    )
  }
  if (values.unisolated) return { requiresFirewall: false }
  const problem = await firewallProblem(env.all.DOCKER_HOST)
  if (problem === undefined) return { requiresFirewall: true }
  throw new Failure(
    `demos cannot be kept from this host's network (${problem}), and ${strangers}: run as root where Docker runs, or --unisolated when that is meant`,
  )
}

/**
 * Resolves once the daemon of a web server runs strangers' demos where nothing keeps them from what is its operator's,
 * to a Failure that says so. It may be away for long. Undefined: the signal aborted, or it is as it should be.
 */
export async function untrustedDaemon(
  settings: Settings,
  health: () => Promise<DaemonHealth>,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const strangers = await strangersBy(settings)
  if (strangers === undefined) return undefined
  const { values } = settings
  for (;;) {
    // One that is away is asked again.
    const answer = await health().catch(() => undefined)
    if (answer) {
      const { engine, unisolated } = answer
      if (unisolated === null || (engine === 'process' ? values.trust_demos : values.unisolated)) return undefined
      const flag = engine === 'process' ? '--trust-demos when all code is your own' : '--unisolated when that is meant'
      return new Failure(`the daemon does not isolate demos (${unisolated}), and ${strangers}: mend that, or ${flag}`)
    }
    // An aborted wait rejects, and the loop ends.
    await setTimeout(askAgainMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return undefined
  }
}

/** Warns that behind a proxy all callers have the proxy's address, unless the settings trust it to forward theirs. */
export function warnOfProxy({ values }: Settings): void {
  if (!values.public_url || isLoopback(new URL(values.public_url).hostname) || values.trusted_proxies.length > 0) return
  console.error(
    'Warning: public_url is set without trusted_proxies, so all visitors count as one address: name the server in front, as --trusted-proxy 127.0.0.1',
  )
}

export const isLoopback = (host: string): boolean => ['127.0.0.1', '::1', 'localhost'].includes(host)

/** Throws Failure that says where the daemon's certificates come from, when there are none. */
export function refuseWithoutCertificates(settings: Settings): void {
  const { ca, cert, key } = daemonConfig(settings, []).tls
  const missing = [ca, cert, key].filter((path) => !existsSync(path))
  if (missing.length === 0) return
  throw new Failure(
    [
      `The daemon has no certificate by which its web server would know it: there is no ${missing.join(', no ')}.`,
      '  All on this host:    origami up',
      `  Two on this host:    origami web --data ${settings.values.data}  first; it makes them`,
      "  On two hosts:        on the web server's host  origami certificates --daemon <this host>",
      '                       copy the folder here, and  origami daemon --host <address> --certificates <folder>',
    ].join('\n'),
  )
}

const tlsFiles = (folder: string) => ({
  ca: join(folder, 'ca.pem'),
  cert: join(folder, 'cert.pem'),
  key: join(folder, 'key.pem'),
})

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Failure(`--forges: ${file} is not JSON: ${cause instanceof Error ? cause.message : cause}`)
  }
}
