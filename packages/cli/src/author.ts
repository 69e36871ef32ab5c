import { runCommandLine } from './program.ts'
import { authorVerbs } from './verbs/author-verbs.ts'

/** The command `origami` in the Python package: the verbs for authors, without the servers. */
await runCommandLine(authorVerbs)
