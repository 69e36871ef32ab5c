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

/** `origami` as the Python package brings it: what an author does, without the servers. */
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
