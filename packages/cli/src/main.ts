import { env } from './env.ts'
import { runCommandLine } from './program.ts'
import { auditVerb } from './verbs/audit.ts'
import { authorVerbs } from './verbs/author-verbs.ts'
import { certificatesVerb } from './verbs/certificates.ts'
import { configVerb } from './verbs/config.ts'
import { daemonVerb } from './verbs/daemon.ts'
import { deployersVerb } from './verbs/deployers.ts'
import { ownerLinkVerb } from './verbs/owner-link.ts'
import { publishExamplesVerb } from './verbs/publish-examples.ts'
import { quickstartVerb } from './verbs/quickstart.ts'
import { upVerb } from './verbs/up.ts'
import { webVerb } from './verbs/web.ts'

// `npm run` changes into the checkout, but paths are meant from the folder where the person is.
if (env.invokedFrom) process.chdir(env.invokedFrom)
await runCommandLine(
  [
    ...authorVerbs,
    upVerb,
    daemonVerb,
    webVerb,
    configVerb,
    deployersVerb,
    auditVerb,
    ownerLinkVerb,
    certificatesVerb,
    quickstartVerb,
  ],
  [publishExamplesVerb],
)
