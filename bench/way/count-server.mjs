import { countStatements, open } from './counters.mjs'

countStatements()
open(process.env.ORIGAMI_COUNTS)
