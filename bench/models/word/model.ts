import { demo, text } from 'origami-lib'

/** Says what it was told, and has no examples, which would be run before it serves. */
export default demo({
  title: 'Word',
  inputs: { word: text() },
  outputs: { said: text() },
  predict: async ({ word }) => word,
})
