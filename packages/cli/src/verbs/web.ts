import { Command } from 'commander'
import { ensureBuilt } from '../built.ts'
import { isLoopback, readForges, untrustedDaemon, warnOfProxy, webConfig, webSecrets } from '../config.ts'
import { orPortTaken } from '../port-taken.ts'
import { configure, untilSignal } from '../servers.ts'
import { settingFlags } from '../settings/flags.ts'
import { reloadAtSighup, sighups } from '../settings/reload.ts'
import { announceOwnerLink } from './owner-link.ts'

const flags = settingFlags([
  'data',
  'host',
  'port',
  'daemon.url',
  'public_url',
  'forges',
  'deployers',
  'private_networks',
  'allowed_hosts',
  'trusted_proxies',
  'proxy_hops',
  'trust_demos',
  'unisolated',
])

export const webVerb = () =>
  flags
    .addTo(new Command('web').description('run the web server alone, for a daemon that runs elsewhere'))
    .action(async (_flags, command: Command) => {
      using heard = sighups()
      const settings = await flags.read(command)
      warnOfProxy(settings)
      await ensureBuilt()
      const { ensureCertificates, startWeb } = await import('@origami/web')
      await ensureCertificates(settings.values.data, { days: settings.limits.web.certificateDays })
      const forges = await readForges(settings)
      const config = webConfig(settings, forges, settings.values['daemon.url'])
      const running = await orPortTaken('--port', startWeb(config, webSecrets(forges)))
      await using _reloading = await reloadAtSighup({
        heard,
        verb: 'web',
        settings,
        read: () => flags.read(command),
        apply: (next) => configure({ web: running }, next),
      })
      console.log(`Origami is at ${running.url}`)
      console.log(daemonHint(settings.values['daemon.url'], settings.values.data))
      announceOwnerLink(running, settings.values.data)
      const leaving = new AbortController()
      const untrusted = untrustedDaemon(settings, running.daemonHealth, leaving.signal)
      const ended = untilSignal({ web: running }).finally(() => leaving.abort())
      const failure = (await Promise.race([untrusted, ended])) ?? undefined
      if (failure) await running[Symbol.asyncDispose]()
      if (failure) throw failure
      await ended
    })

/** Says where the daemon is expected, and how to start one there. */
function daemonHint(url: string, data: string): string {
  const { hostname } = new URL(url)
  const start = isLoopback(hostname)
    ? `origami daemon --data ${data}`
    : `origami certificates --daemon ${hostname} --data ${data}  says how to start one`
  return `Its daemon is expected at ${url} (${start})`
}
