import type { ComponentName, ComponentOptions, ComponentValue, FileComponentName } from '@origami/protocol/demo'
import type { ModelFile, OutputFile } from './files.ts'

/** What every input and output may say besides its component's own options. */
export interface FieldWords {
  /** What the page calls it; made of its name when not given. */
  readonly label?: string
  readonly description?: string
}

/** One input or output of a demo. `In` and `Out` are what `predict` gets and gives for it. */
export interface Field<In = unknown, Out = unknown> extends FieldWords {
  readonly component: ComponentName
  readonly options: Readonly<Record<string, unknown>>
  readonly default?: unknown
  readonly optional?: boolean
  /** Types only: never there at run time. */
  readonly types?: { readonly input: In; readonly output: Out }
}

/** What `predict` gets for a component: of choices one of them. */
type PredictInput<Name extends ComponentName, Options> = Name extends FileComponentName
  ? ModelFile
  : Options extends { readonly choices: readonly (infer One)[] }
    ? One
    : ComponentValue<Name>
/** What `predict` gives for a component. */
type PredictOutput<Name extends ComponentName> = Name extends FileComponentName ? OutputFile : ComponentValue<Name>

type Frozen<Value> = Value extends readonly (infer One)[]
  ? readonly One[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Frozen<Value[Key]> }
    : Value
/** Where a component has no options, their type is an index of never, which would forbid a label beside them. */
type Options<Name extends ComponentName> = string extends keyof ComponentOptions<Name>
  ? unknown
  : Frozen<ComponentOptions<Name>>
type Default<Name extends ComponentName> = Name extends FileComponentName ? undefined : ComponentValue<Name>

/** What a builder takes: the component's options, label and description, and of an input its default or `optional`. */
export type Given<Name extends ComponentName> = Options<Name> &
  FieldWords & {
    /** The value when the caller gives none. */
    readonly default?: Default<Name>
    /** The caller may leave it out: `predict` then gets null. */
    readonly optional?: boolean
  }

type Absent<Options> = Options extends { readonly default: unknown }
  ? never
  : Options extends { readonly optional: true }
    ? null
    : never
type Made<Name extends ComponentName, Options> = Field<
  PredictInput<Name, Options> | Absent<Options>,
  PredictOutput<Name> | Absent<Options>
>

/** Builds fields of one component. All options may be left out where the component needs none. */
export type Builder<Name extends ComponentName> =
  Record<never, never> extends Given<Name>
    ? <const Options extends Given<Name> = Record<never, never>>(options?: Options) => Made<Name, Options>
    : <const Options extends Given<Name>>(options: Options) => Made<Name, Options>

/** What every builder takes, whatever the component: what a field says, and options by name. */
interface WrittenField extends FieldWords {
  readonly default?: unknown
  readonly optional?: boolean
  readonly [option: string]: unknown
}

/** The builder of a component by its name. */
export function builder<Name extends ComponentName>(component: Name): Builder<Name>
export function builder(component: ComponentName): (written?: WrittenField) => Field {
  return ({ label, description, default: value, optional, ...options } = {}) => ({
    component,
    options,
    ...(label === undefined ? {} : { label }),
    ...(description === undefined ? {} : { description }),
    ...(value === undefined ? {} : { default: value }),
    ...(optional === undefined ? {} : { optional }),
  })
}
