import { tell } from '../servers/tell.mjs'
import { counted, countStatements } from './counters.mjs'

countStatements()
tell(counted)
