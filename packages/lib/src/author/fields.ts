import type { ComponentName, ComponentOptions, ComponentValue, FileComponentName } from '@origami/protocol/demo'
import type { ModelFile, OutputFile } from './files.ts'

/** Options of every input and output, whatever its component. */
export interface FieldText {
  /** The label on the page. By default it is made from the field's name. */
  readonly label?: string
  readonly description?: string
}

/** One input or output of a demo. `In` and `Out` are its types in `predict`. */
export interface Field<In = unknown, Out = unknown> extends FieldText {
  readonly component: ComponentName
  readonly options: Readonly<Record<string, unknown>>
  readonly default?: unknown
  readonly optional?: boolean
  /** For types only. It does not exist at run time. */
  readonly types?: { readonly input: In; readonly output: Out }
}

/** The type that `predict` gets for a component. For choices it is one of them. */
type PredictInput<Name extends ComponentName, Options> = Name extends FileComponentName
  ? ModelFile
  : Options extends { readonly choices: readonly (infer One)[] }
    ? One
    : ComponentValue<Name>
/** The type that `predict` returns for a component. */
type PredictOutput<Name extends ComponentName> = Name extends FileComponentName ? OutputFile : ComponentValue<Name>

type Frozen<Value> = Value extends readonly (infer One)[]
  ? readonly One[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Frozen<Value[Key]> }
    : Value
/**
 * A component without options has an index of never as their type, which would forbid a label too. `unknown` stands for
 * it here.
 */
type Options<Name extends ComponentName> = string extends keyof ComponentOptions<Name>
  ? unknown
  : Frozen<ComponentOptions<Name>>
type Default<Name extends ComponentName> = Name extends FileComponentName ? undefined : ComponentValue<Name>

/**
 * The argument of a builder: the component's options, label and description, and for an input its default or
 * `optional`.
 */
export type FieldOptions<Name extends ComponentName> = Options<Name> &
  FieldText & {
    /** The value that is used when the caller sends none. */
    readonly default?: Default<Name>
    /** The caller may leave it out. `predict` then gets null. */
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

/** Makes fields of one component. The argument may be left out when the component requires no option. */
export type Builder<Name extends ComponentName> =
  Record<never, never> extends FieldOptions<Name>
    ? <const Options extends FieldOptions<Name> = Record<never, never>>(options?: Options) => Made<Name, Options>
    : <const Options extends FieldOptions<Name>>(options: Options) => Made<Name, Options>

/** The argument of every builder without its component's types: words for the page, and options by name. */
interface WrittenField extends FieldText {
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
