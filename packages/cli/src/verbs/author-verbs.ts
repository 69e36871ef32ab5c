import { bundleVerb } from './bundle.ts'
import { deployVerb } from './deploy.ts'
import { initVerb } from './init.ts'
import { loginVerb } from './login.ts'
import { logsVerb } from './logs.ts'
import { serveVerb } from './serve.ts'
import { setVerb } from './set.ts'
import { statsVerb } from './stats.ts'
import { statusVerb } from './status.ts'
import { hideVerb, removeVerb, startVerb, stopVerb } from './stop-start-remove.ts'

/** The verbs that an author needs, in the order of the help. */
export const authorVerbs = [
  initVerb,
  serveVerb,
  bundleVerb,
  loginVerb,
  deployVerb,
  statusVerb,
  logsVerb,
  setVerb,
  stopVerb,
  startVerb,
  hideVerb,
  removeVerb,
  statsVerb,
]
