export * from './components.ts'
export { type Call, type DemoDefinition, demo, type InputOf, type OutputOf, type PartOf } from './demo.ts'
export type { Builder, Field, FieldOptions, FieldText } from './fields.ts'
export type { ModelFile, OutputFile } from './files.ts'
