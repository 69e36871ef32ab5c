import { checkbox, demo, file, image, json, label, markdown, number, select, sketch, slider, text } from 'origami-lib'

const optional = true

/** Returns what it gets. */
export default demo({
  title: 'Every component',
  inputs: {
    text: text({ optional, maxLength: 200 }),
    number: number({ optional }),
    slider: slider({ optional, min: 0, max: 10, step: 1 }),
    checkbox: checkbox({ optional }),
    select: select({ optional, choices: ['red', 'blue'] }),
    image: image({ optional }),
    sketch: sketch({ optional, width: 64, height: 64, brush: 8 }),
    file: file({ optional }),
    json: json({ optional }),
  },
  outputs: {
    text: text({ optional }),
    number: number({ optional }),
    slider: number({ optional }),
    checkbox: checkbox({ optional }),
    select: text({ optional }),
    image: image({ optional }),
    sketch: image({ optional }),
    file: file({ optional }),
    json: json({ optional }),
    label: label({ optional }),
    markdown: markdown({ optional }),
  },
  predict: (input) => ({
    ...input,
    label: input.number === null ? null : { yes: input.number, no: 1 - input.number },
    markdown: input.text === null ? null : `**${input.text}**`,
  }),
})
