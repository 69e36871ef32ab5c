/** The inputs, outputs and languages of a new demo that `origami init` offers. */
export const languages = ['python', 'typescript'] as const
export const inputs = ['text', 'number', 'image', 'file'] as const
export const outputs = ['label', 'text', 'number', 'json', 'image', 'file'] as const

export interface Choices {
  readonly language: (typeof languages)[number]
  readonly input: (typeof inputs)[number]
  readonly output: (typeof outputs)[number]
  readonly title: string
}
