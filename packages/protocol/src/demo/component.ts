import type { z } from 'zod'

/** Everything that is known of one kind of input or output. One definition each, under `components/`. */
export interface Component<Options = unknown, Value = unknown, Media extends string | undefined = string | undefined> {
  readonly name: string
  /** What an author may set on it. Unknown options are errors. */
  readonly options: z.ZodType<Options>
  /** The value on the wire, given the options. Its JSON schema is what `openapi.json` shows. */
  value(options: Options): z.ZodType<Value>
  /** Media types (`image/*`) when its values are files: on the wire a FileRef. */
  readonly file?: Media
  /** What a valid value looks like, as errors say it after `expected`. */
  readonly expects: string
  readonly python: string
  readonly typescript: string
  readonly input: boolean
  readonly output: boolean
  /** How partial values of an output combine on the page: text grows, everything else is replaced. */
  readonly grows?: boolean
}

/** Keeps the inferred types of one definition, and whether its values are files. */
export const defineComponent = <Options, Value, const Media extends string | undefined = undefined>(
  component: Component<Options, Value, Media>,
): Component<Options, Value, Media> => component
