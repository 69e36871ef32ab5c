import type { z } from 'zod'

/** The definition of one kind of input or output. Each one has a file under `components/`. */
export interface Component<Options = unknown, Value = unknown, Media extends string | undefined = string | undefined> {
  readonly name: string
  /** The options that an author may set. Unknown options are errors. */
  readonly options: z.ZodType<Options>
  /** The schema of the value in JSON, given the options. `openapi.json` shows it as JSON schema. */
  value(options: Options): z.ZodType<Value>
  /** The accepted media types (`image/*`) when its values are files, which are FileRefs in JSON. */
  readonly file?: Media
  /** The description of a valid value in error messages, after `expected`. */
  readonly expects: string
  readonly python: string
  readonly typescript: string
  readonly input: boolean
  readonly output: boolean
  /** Whether partial values of an output are appended, as for text. Others replace the value before. */
  readonly grows?: boolean
}

/** Declares a component, keeping the types of its options and value, and whether its values are files. */
export const defineComponent = <Options, Value, const Media extends string | undefined = undefined>(
  component: Component<Options, Value, Media>,
): Component<Options, Value, Media> => component
