import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DaemonConfig } from '@origami/daemon'
import { type ForgeEntry, forgesSchema, github } from '@origami/protocol/control'
import type { WebConfig, WebSecrets } from '@origami/web'
import { checkoutFolder } from './checkout.ts'
import { env } from './env.ts'
import { Failure } from './failure.ts'
import type { Settings } from './settings/read-settings.ts'

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

/**
 * Refuses an address that strangers can reach when the engine does not isolate demos, because their code could use
 * everything of this account.
 */
export async function refuseUntrusted({ values }: Settings): Promise<void> {
  const { guaranteesOf } = await import('@origami/daemon')
  const reached = [values.host, ...(values.public_url ? [new URL(values.public_url).hostname] : [])].find(
    (host) => !isLoopback(host),
  )
  if (guaranteesOf[values.engine].isolation || reached === undefined || values.trust_demos) return
  throw new Failure(
    `the ${values.engine} engine isolates nothing, and ${reached} is not loopback: use --engine docker, or --trust-demos when all code is your own`,
  )
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
