import { demo, text } from 'origami-lib'

export default demo({
  title: 'Broken',
  inputs: { say: text() },
  outputs: { said: text() },
  setup() {
    throw new Error('the weights are not there')
  },
  predict: ({ say }) => say,
})
