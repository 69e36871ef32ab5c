import { run } from './program.ts'
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

await run([serve, bundle, deploy, status, logs, stop, start, remove, stats, up, daemon, web, quickstart])
