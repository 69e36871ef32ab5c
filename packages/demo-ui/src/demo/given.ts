import type { DemoSchema, Input } from '@origami/protocol/demo'

/** What goes to the server: text is never missing, the rest is left out while it is empty. */
export function given(schema: DemoSchema, input: Input): Input {
  const values = schema.inputs.map(({ name, component, required }) => {
    const value = input[name]
    const blank = component === 'text' && required ? '' : component === 'checkbox' ? false : undefined
    return [name, value ?? blank] as const
  })
  return Object.fromEntries(values.filter(([, value]) => value !== undefined))
}
