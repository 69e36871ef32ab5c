import type { DemoSchema, Input } from '@origami/protocol/demo'
import { views } from '../components/registry.ts'
import type { View } from '../components/view.ts'

/** The input for the server. An empty field is left out, or is replaced as its component says. */
export function sentInput(schema: DemoSchema, input: Input): Input {
  const values = schema.inputs.map(({ name, component, required }) => {
    const view: View = views[component]
    return [name, input[name] ?? view.blank?.(required)] as const
  })
  return Object.fromEntries(values.filter(([, value]) => value !== undefined))
}
