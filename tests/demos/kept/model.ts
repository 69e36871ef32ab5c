import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { demo, file, text } from 'origami-lib'

/** Notes each run in the file `runs`, waits until the file `gate` is there, and gives what its paper says as a file. */
export default demo({
  title: 'Kept',
  inputs: {
    word: text(),
    runs: text({ optional: true }),
    gate: text({ optional: true }),
    paper: file({ optional: true }),
  },
  outputs: { said: text(), result: file() },
  async predict({ word, runs, gate, paper }, { signal }) {
    if (runs) appendFileSync(runs, `${word}\n`)
    while (gate && !existsSync(gate)) await setTimeout(20, undefined, { signal })
    const path = join(tmpdir(), `${word}.txt`)
    writeFileSync(path, paper ? readFileSync(paper.path) : word)
    return { said: word, result: { path } }
  },
  examples: [{ word: 'hello' }],
})
