// Prints what is known of a process, as told by its arguments, once this process may open no other file.
import { openSync } from 'node:fs'
import { family, processesWith, signalGroup } from '@origami/host/process-groups'
import { isAlive, startTime } from '@origami/host/process-identity'

const [, , id, started] = process.argv
const one = { pid: Number(id), started }
try {
  for (;;) openSync('/dev/null', 'r')
} catch {
  // The limit of open files is reached, as wanted.
}
const questions = {
  startTime: () => startTime(one.pid),
  isAlive: () => isAlive(one),
  signalGroup: () => signalGroup(one, 'SIGCONT'),
  family: () => family(one),
  processesWith: () => processesWith('cmdline', () => true),
}
const answers = {}
for (const [name, ask] of Object.entries(questions))
  answers[name] = await Promise.resolve()
    .then(ask)
    .catch((error) => error.code)
console.log(JSON.stringify(answers))
