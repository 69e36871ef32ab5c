import { checkbox, demo, file, json, number, text } from 'origami-lib'

/** Returns all of its inputs. */
export default demo({
  title: 'Echo',
  inputs: {
    words: text({ multiline: true }),
    count: number({ default: 2 }),
    sure: checkbox(),
    settings: json({ optional: true }),
    paper: file({ optional: true }),
  },
  outputs: { said: text() },
  predict: async ({ words, count, sure, settings, paper }) => {
    const written = paper && Buffer.from(await paper.bytes()).toString()
    return [words, count, sure, JSON.stringify(settings), written].join('\n')
  },
})
