import { env } from './env.ts'
import { runCommandLine } from './program.ts'
import { bundleVerb } from './verbs/bundle.ts'
import { certificatesVerb } from './verbs/certificates.ts'
import { configVerb } from './verbs/config.ts'
import { daemonVerb } from './verbs/daemon.ts'
import { deployVerb } from './verbs/deploy.ts'
import { deployersVerb } from './verbs/deployers.ts'
import { initVerb } from './verbs/init.ts'
import { loginVerb } from './verbs/login.ts'
import { logsVerb } from './verbs/logs.ts'
import { quickstartVerb } from './verbs/quickstart.ts'
import { serveVerb } from './verbs/serve.ts'
import { statsVerb } from './verbs/stats.ts'
import { statusVerb } from './verbs/status.ts'
import { removeVerb, startVerb, stopVerb } from './verbs/stop-start-remove.ts'
import { upVerb } from './verbs/up.ts'
import { webVerb } from './verbs/web.ts'

// `npm run` changes into the checkout, but paths are meant from the folder where the person is.
if (env.invokedFrom) process.chdir(env.invokedFrom)
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
  upVerb,
  daemonVerb,
  webVerb,
  configVerb,
  deployersVerb,
  certificatesVerb,
  quickstartVerb,
])
