import type { Daemon } from '@origami/daemon'
import { makePrivateFolder } from '@origami/host/private-files'
import type { ForgeEntry } from '@origami/protocol/control'
import type { Web } from '@origami/web'
import { daemonConfig, refuseUntrusted, webConfig, webSecrets } from './config.ts'
import { orPortTaken } from './port-taken.ts'
import type { Settings } from './settings/read-settings.ts'

export interface Origami {
  readonly web: Web
  readonly daemon: Daemon
}

/**
 * Starts daemon and web server in this process. Throws Failure when a port is taken, or when strangers' demos would run
 * where nothing keeps them from what is the operator's.
 */
export async function startOrigami(settings: Settings, forges: readonly ForgeEntry[]): Promise<Origami> {
  const trust = await refuseUntrusted(settings)
  const [{ startDaemon }, { ensureCertificates, startWeb }] = await Promise.all([
    import('@origami/daemon'),
    import('@origami/web'),
  ])
  const { data } = settings.values
  await makePrivateFolder(data)
  await ensureCertificates(data, { days: settings.limits.web.certificateDays })
  const daemon = await orPortTaken('--daemon-port', startDaemon({ ...daemonConfig(settings, forges), ...trust }))
  try {
    return {
      daemon,
      web: await orPortTaken(
        '--port',
        startWeb(webConfig(settings, forges, daemon.url), webSecrets(forges), { daemonLink: daemon.link }),
      ),
    }
  } catch (error) {
    await daemon[Symbol.asyncDispose]()
    throw error
  }
}

/** Applies settings that were read again to the servers that are running. */
export function configure({ web, daemon }: Partial<Origami>, { limits, values }: Settings): void {
  daemon?.configure(limits.daemon)
  web?.configure(limits.web)
  web?.trust(values.trusted_proxies, values.proxy_hops)
}

/**
 * Waits for a signal to end. Ctrl-C stops what was started, demos too. SIGTERM leaves demos running for the next start.
 * A second Ctrl-C does not wait.
 */
export async function untilSignal({ web, daemon }: Partial<Origami>): Promise<void> {
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, resolve)
  })
  console.error(signal === 'SIGINT' ? '\nStopping…' : 'Leaving; demos go on running.')
  await web?.[Symbol.asyncDispose]()
  if (signal === 'SIGINT') await daemon?.stopInstances()
  await daemon?.[Symbol.asyncDispose]()
}
