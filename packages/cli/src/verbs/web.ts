import { Command } from 'commander'
import { ensureBuilt } from '../built.ts'
import { flags, readForges, type ServerFlags, webConfig } from '../config.ts'
import { orPortTaken } from '../port-taken.ts'
import { untilSignal } from '../servers.ts'

export const web = () =>
  new Command('web')
    .description('run the web server alone, for a daemon that runs elsewhere')
    .addOption(flags.data())
    .addOption(flags.host())
    .addOption(flags.port())
    .option('--daemon-url <url>', 'where the daemon listens', 'https://127.0.0.1:6001')
    .addOption(flags.publicUrl())
    .addOption(flags.forges())
    .addOption(flags.deployer())
    .addOption(flags.privateNetwork())
    .action(async (given: ServerFlags & { daemonUrl: string }) => {
      await ensureBuilt()
      const { ensureCertificates, startWeb } = await import('@origami/web')
      await ensureCertificates(given.data)
      const running = await orPortTaken('--port', startWeb(webConfig(given, await readForges(given.forges), given.daemonUrl)))
      console.log(`Origami is at ${running.url}`)
      console.log(`Sign in as its owner, once: ${running.ownerLink()}`)
      await untilSignal({ web: running })
    })
