import { Command } from 'commander'
import { daemonConfig, flags, readForges, type ServerFlags } from '../config.ts'
import { orPortTaken } from '../port-taken.ts'
import { untilSignal } from '../servers.ts'

export const daemon = () =>
  new Command('daemon')
    .description('run the daemon alone: it deploys, queues and runs demos, for the web server alone')
    .addOption(flags.data())
    .addOption(flags.daemonPort())
    .addOption(flags.engine())
    .addOption(flags.forges())
    .action(async (given: ServerFlags) => {
      const { startDaemon } = await import('@origami/daemon')
      const running = await orPortTaken('--daemon-port', startDaemon(daemonConfig(given, await readForges(given.forges))))
      console.log(`The daemon listens at ${running.url}`)
      await untilSignal({ daemon: running })
    })
