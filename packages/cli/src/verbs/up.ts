import { Command } from 'commander'
import { ensureBuilt } from '../built.ts'
import { flags, readForges, refuseUntrusted, type ServerFlags } from '../config.ts'
import { type Origami, startOrigami, untilSignal } from '../servers.ts'

export const up = () =>
  new Command('up')
    .description('run the web server and the daemon, with certificates made for them')
    .addOption(flags.data())
    .addOption(flags.host())
    .addOption(flags.port())
    .addOption(flags.daemonPort())
    .addOption(flags.engine())
    .addOption(flags.publicUrl())
    .addOption(flags.forges())
    .addOption(flags.deployer())
    .addOption(flags.privateNetwork())
    .addOption(flags.trustDemos())
    .action(async (given: ServerFlags) => {
      refuseUntrusted(given)
      await ensureBuilt()
      const origami = await startOrigami(given, await readForges(given.forges))
      announce(origami, given)
      await untilSignal(origami)
    })

function announce(origami: Origami, given: ServerFlags): void {
  console.log(`Origami is at ${origami.web.url}`)
  console.log(`Sign in as its owner, once: ${origami.web.ownerLink()}`)
  if (given.engine === 'docker')
    console.log("Note: demos are not yet kept from the host's network by firewall rules. See SECURITY.md")
  if (given.engine === 'process') console.log('Note: the process engine isolates nothing. Deploy only code that you trust.')
}
