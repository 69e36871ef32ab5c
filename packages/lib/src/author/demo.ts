import type { Field } from './fields.ts'
import type { ModelFile } from './files.ts'

export type Fields = Readonly<Record<string, Field>>
type InOf<One> = One extends Field<infer In, unknown> ? In : never
type OutOf<One> = One extends Field<unknown, infer Out> ? Out : never

/** The argument of `predict`: each input's value by name. */
export type InputOf<Inputs extends Fields> = { readonly [Name in keyof Inputs]: InOf<Inputs[Name]> }
type OutputObject<Outputs extends Fields> = { readonly [Name in keyof Outputs]: OutOf<Outputs[Name]> }
type IsUnion<One, All = One> = [One] extends [never]
  ? true
  : One extends All
    ? [All] extends [One]
      ? false
      : true
    : never

/** The result of `predict`: the value of a single output, or an object of all outputs by name. */
export type OutputOf<Outputs extends Fields> =
  IsUnion<keyof Outputs> extends true ? OutputObject<Outputs> : OutOf<Outputs[keyof Outputs]>
/** What a generator yields: a part of the single output, or an object of the outputs that changed. */
export type PartOf<Outputs extends Fields> =
  IsUnion<keyof Outputs> extends true ? Partial<OutputObject<Outputs>> : OutOf<Outputs[keyof Outputs]>

type Example<Inputs extends Fields> = {
  /** A file is given as the path of one beside the model. */
  readonly [Name in keyof Inputs]?: InOf<Inputs[Name]> extends ModelFile ? string : InOf<Inputs[Name]>
}

/** The second argument of `predict`. */
export interface Call {
  /** The prediction's id. */
  readonly id: string
  /** Aborts when the visitor cancels. A model that runs for 5 s more is killed. */
  readonly signal: AbortSignal
  /** Reports the progress. `total` is null when it is not known. */
  progress(done: number, total?: number | null, note?: string): void
  /** Writes a line to the demo's log, formatted as by `console.log`. */
  log(...values: unknown[]): void
}

/** A demo as its author writes it. */
export interface DemoDefinition<Inputs extends Fields, Outputs extends Fields> {
  /** The title on the page. By default it comes from the name of the repository. */
  readonly title?: string
  /** Markdown. */
  readonly description?: string
  /** Inputs by name. A name is a letter or `_`, then letters, digits and `_`. */
  readonly inputs: Inputs
  readonly outputs: Outputs
  /** Runs once in each worker, before the first prediction: load weights here. */
  readonly setup?: () => void | Promise<void>
  /**
   * One call of the model. An async generator gives partial outputs: strings of a single text output are appended, and
   * every other part replaces the one before. A value that it returns is the whole output.
   */
  readonly predict: (
    input: InputOf<Inputs>,
    call: Call,
  ) =>
    | OutputOf<Outputs>
    | Promise<OutputOf<Outputs>>
    | AsyncGenerator<PartOf<Outputs>, OutputOf<Outputs> | undefined | void>
  /** Inputs to try. The first is run when the demo is bundled. */
  readonly examples?: readonly Example<Inputs>[]
  /** How many predictions run at the same time, each in its own worker process. The default is 1. */
  readonly concurrency?: number
}

/** A demo whose types the runtime does not need to know. */
export interface AnyDemo {
  readonly title?: string
  readonly description?: string
  readonly inputs: Fields
  readonly outputs: Fields
  readonly setup?: () => unknown
  readonly predict: (input: Record<string, unknown>, call: Call) => unknown
  readonly examples?: readonly Readonly<Record<string, unknown>>[]
  readonly concurrency?: number
}

/** Marks a demo for the runtime, whichever copy of this module made it. */
export const demoMark: unique symbol = Symbol.for('origami.demo')

/** Declares a model as a demo: `export default demo({ … })`. The worker checks the definition when it loads it. */
export function demo<const Inputs extends Fields, const Outputs extends Fields>(
  definition: DemoDefinition<Inputs, Outputs>,
): DemoDefinition<Inputs, Outputs> {
  return Object.assign({}, definition, { [demoMark]: true })
}
