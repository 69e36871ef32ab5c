import { closeSync, openSync } from 'node:fs'
import { ProcessEngine } from '../../src/engine/process/process-engine.ts'

/** Prints what an engine answers before and after its process may open no other file. */
const [folder = '', id = ''] = process.argv.slice(2)
const engine = new ProcessEngine({ folder, owner: 'owner', environment: {} })
const answers = () => Promise.allSettled([engine.list(), engine.find(id), engine.images()])

const before = await answers()
const held = []
let reason
while (reason === undefined)
  try {
    held.push(openSync('/dev/null', 'r'))
  } catch (error) {
    reason = error
  }
const after = await answers()
for (const file of held) closeSync(file)
console.log(JSON.stringify({ before, after: after.map(({ status }) => status) }))
