import { Command } from 'commander'
import { Failure } from './failure.ts'
import { bundle } from './verbs/bundle.ts'
import { remove, start, stop } from './verbs/control.ts'
import { daemon } from './verbs/daemon.ts'
import { deploy } from './verbs/deploy.ts'
import { logs } from './verbs/logs.ts'
import { quickstart } from './verbs/quickstart.ts'
import { serve } from './verbs/serve.ts'
import { stats } from './verbs/stats.ts'
import { status } from './verbs/status.ts'
import { up } from './verbs/up.ts'
import { web } from './verbs/web.ts'

const program = new Command('origami')
  .description('Turns the repository of a trained model into a live, queued, shareable web demo.')
  .showHelpAfterError('(origami --help lists the verbs, origami <verb> --help what each takes)')

for (const verb of [serve, bundle, deploy, status, logs, stop, start, remove, stats, up, daemon, web, quickstart])
  program.addCommand(verb())

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof Failure)) throw error
  console.error(error.message)
  process.exitCode = 1
}
