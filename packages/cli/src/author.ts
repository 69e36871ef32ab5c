import { run } from './program.ts'
import { bundle } from './verbs/bundle.ts'
import { remove, start, stop } from './verbs/control.ts'
import { deploy } from './verbs/deploy.ts'
import { init } from './verbs/init.ts'
import { login } from './verbs/login.ts'
import { logs } from './verbs/logs.ts'
import { serve } from './verbs/serve.ts'
import { stats } from './verbs/stats.ts'
import { status } from './verbs/status.ts'

/** `origami` as the Python package brings it: what an author does, without the servers. */
await run([init, serve, bundle, login, deploy, status, logs, stop, start, remove, stats])
