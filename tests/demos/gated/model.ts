import { appendFileSync, existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { demo, text } from 'origami-lib'

/**
 * Waits until the file `gate` is there, so that tests decide when a prediction ends; notes each run in `<gate>.runs`.
 */
export default demo({
  title: 'Gated',
  inputs: { word: text(), gate: text({ optional: true }) },
  outputs: { said: text() },
  async predict({ word, gate }, { signal }) {
    if (gate) appendFileSync(`${gate}.runs`, `${word}\n`)
    while (gate && !existsSync(gate)) await setTimeout(20, undefined, { signal })
    return `${word}, version 1`
  },
  examples: [{ word: 'hello' }],
})
