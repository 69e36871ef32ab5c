/** What goes into a new demo and what comes out of it, as `origami init` offers it. */
export const languages = ['python', 'typescript'] as const
export const inputs = ['text', 'number', 'image', 'file'] as const
export const outputs = ['label', 'text', 'number', 'json', 'image', 'file'] as const

export interface Choices {
  readonly language: (typeof languages)[number]
  readonly input: (typeof inputs)[number]
  readonly output: (typeof outputs)[number]
  readonly title: string
}
