import { Command } from 'commander'
import { daemonConfig, readForges, refuseUntrusted, refuseWithoutCertificates } from '../config.ts'
import { orPortTaken } from '../port-taken.ts'
import { configure, untilSignal } from '../servers.ts'
import { settingFlags } from '../settings/flags.ts'
import { reloadAtSighup, sighups } from '../settings/reload.ts'

const flags = settingFlags([
  'data',
  ['daemon.host', '--host <address>'],
  'daemon_port',
  'daemon.certificates',
  'engine',
  'forges',
  'trust_demos',
  'unisolated',
  'isolation',
])

export const daemonVerb = () =>
  flags
    .addTo(
      new Command('daemon').description(
        'run the daemon alone: it deploys, queues and runs demos, for the web server alone',
      ),
    )
    .action(async (_flags, command: Command) => {
      using heard = sighups()
      const settings = await flags.read(command)
      refuseWithoutCertificates(settings)
      const trust = await refuseUntrusted(settings, settings.values['daemon.host'])
      const { startDaemon } = await import('@origami/daemon')
      const running = await orPortTaken(
        '--daemon-port',
        startDaemon({ ...daemonConfig(settings, await readForges(settings)), ...trust }),
      )
      await using _reloading = await reloadAtSighup({
        heard,
        verb: 'daemon',
        settings,
        read: () => flags.read(command),
        apply: (next) => configure({ daemon: running }, next),
      })
      console.log(`The daemon listens at ${running.url}`)
      await untilSignal({ daemon: running })
    })
