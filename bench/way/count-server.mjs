import { join } from 'node:path'
import { countStatements, open } from './counters.mjs'

// `node --import this main.ts daemon --data FOLDER …`: its counts are told at FOLDER/daemon.sock.
const [, , verb, ...flags] = process.argv
countStatements()
open(join(flags[flags.indexOf('--data') + 1], `${verb}.sock`))
