import { env } from './env.ts'
import { run } from './program.ts'
import { bundle } from './verbs/bundle.ts'
import { certificates } from './verbs/certificates.ts'
import { config } from './verbs/config.ts'
import { remove, start, stop } from './verbs/control.ts'
import { daemon } from './verbs/daemon.ts'
import { deploy } from './verbs/deploy.ts'
import { deployers } from './verbs/deployers.ts'
import { init } from './verbs/init.ts'
import { login } from './verbs/login.ts'
import { logs } from './verbs/logs.ts'
import { quickstart } from './verbs/quickstart.ts'
import { serve } from './verbs/serve.ts'
import { stats } from './verbs/stats.ts'
import { status } from './verbs/status.ts'
import { up } from './verbs/up.ts'
import { web } from './verbs/web.ts'

// `npm run` goes to the checkout; paths are meant from where the person stands.
if (env.invokedFrom) process.chdir(env.invokedFrom)
await run([
  init,
  serve,
  bundle,
  login,
  deploy,
  status,
  logs,
  stop,
  start,
  remove,
  stats,
  up,
  daemon,
  web,
  config,
  deployers,
  certificates,
  quickstart,
])
