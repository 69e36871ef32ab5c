import { runCommandLine } from './program.ts'
import { bundleVerb } from './verbs/bundle.ts'
import { deployVerb } from './verbs/deploy.ts'
import { initVerb } from './verbs/init.ts'
import { loginVerb } from './verbs/login.ts'
import { logsVerb } from './verbs/logs.ts'
import { serveVerb } from './verbs/serve.ts'
import { statsVerb } from './verbs/stats.ts'
import { statusVerb } from './verbs/status.ts'
import { removeVerb, startVerb, stopVerb } from './verbs/stop-start-remove.ts'

/** The command `origami` in the Python package: the verbs for authors, without the servers. */
await runCommandLine([
  initVerb,
  serveVerb,
  bundleVerb,
  loginVerb,
  deployVerb,
  statusVerb,
  logsVerb,
  stopVerb,
  startVerb,
  removeVerb,
  statsVerb,
])
