import { setTimeout } from 'node:timers/promises'
import { demo, file, label, number, text } from 'origami-lib'

/** Does what its text says. */
export default demo({
  title: 'Many',
  inputs: {
    say: text({ maxLength: 20 }),
    count: number({ integer: true, default: 3 }),
    paper: file({ optional: true }),
  },
  outputs: { said: text(), mood: label(), copy: file() },
  async predict({ say, count, paper }, { progress, log, signal }) {
    log('heard', say)
    progress(1, count, 'listening')
    if (say === 'die') process.exit(7)
    if (say === 'throw') throw new Error('it was told to')
    if (say === 'wait') await setTimeout(60_000, undefined, { signal })
    if (say === 'hang') for (;;) Math.random()
    const bytes = paper ? await paper.bytes() : new TextEncoder().encode('nothing')
    return { said: say.repeat(count), mood: { glad: 0.75 }, copy: { bytes, name: 'copy.txt', type: 'text/plain' } }
  },
  examples: [{ say: 'ab' }],
})
