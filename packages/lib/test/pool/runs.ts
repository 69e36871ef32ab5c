import { type DemoSchema, newPredictionId } from '@origami/protocol/demo'
import { Run } from '../../src/runtime/pool/run.ts'

const field = (name: string, component: 'text' | 'file') => ({
  name,
  label: name,
  component,
  options: {},
  required: false,
})

/** A demo that says something and may give a file. */
export const schema: DemoSchema = {
  api: 1,
  title: 'Runs',
  description: '',
  inputs: [field('say', 'text')],
  outputs: [field('said', 'text'), field('copy', 'file')],
  examples: [],
  streaming: false,
  concurrency: 1,
}

/** A prediction without workers. */
export const newRun = (onCancel: (run: Run) => void = () => undefined): Run =>
  new Run(newPredictionId(), { say: 'x' }, schema, onCancel)
