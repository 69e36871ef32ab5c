import { Command } from 'commander'
import { ensureBuilt } from '../built.ts'
import { readForges, warnOfProxy } from '../config.ts'
import { configure, type Origami, startOrigami, untilSignal } from '../servers.ts'
import { settingFlags } from '../settings/flags.ts'
import type { Settings } from '../settings/read-settings.ts'
import { reloadAtSighup, sighups } from '../settings/reload.ts'
import { announceOwnerLink } from './owner-link.ts'

const flags = settingFlags([
  'data',
  'host',
  'port',
  'daemon_port',
  'engine',
  'public_url',
  'forges',
  'deployers',
  'private_networks',
  'allowed_hosts',
  'trusted_proxies',
  'proxy_hops',
  'trust_demos',
  'unisolated',
  'isolation',
])

export const upVerb = () =>
  flags
    .addTo(new Command('up').description('run the web server and the daemon, with certificates made for them'))
    .action(async (_flags, command: Command) => {
      using heard = sighups()
      const settings = await flags.read(command)
      warnOfProxy(settings)
      await ensureBuilt()
      const origami = await startOrigami(settings, await readForges(settings))
      await using _reloading = await reloadAtSighup({
        heard,
        verb: 'up',
        settings,
        read: () => flags.read(command),
        apply: (next) => configure(origami, next),
      })
      await announce(origami, settings)
      await untilSignal(origami)
    })

async function announce(origami: Origami, { values: { engine, data } }: Settings): Promise<void> {
  const { guaranteesOf } = await import('@origami/daemon')
  const { isolation } = guaranteesOf[engine]
  console.log(`Origami is at ${origami.web.url}`)
  announceOwnerLink(origami.web, data)
  if (!isolation) console.log(`Note: the ${engine} engine isolates nothing. Deploy only code that you trust.`)
}
