import type { FileComponentName } from '@origami/protocol/demo'
import type { ComponentType } from 'react'
import type { DemoClient } from '../client/client.ts'

/** What an input's view gets. `value` is null while there is none. */
export interface InputProps {
  /** The id of the control, which its label refers to. `described` has the ids of its error and its description. */
  readonly id: string
  readonly described: string | undefined
  readonly invalid: boolean
  readonly required: boolean
  readonly options: Readonly<Record<string, unknown>>
  readonly value: unknown
  readonly onChange: (value: unknown) => void
  readonly demo: DemoClient
  readonly label: string
}

export interface OutputProps {
  readonly options: Readonly<Record<string, unknown>>
  readonly value: unknown
  readonly demo: DemoClient
  readonly label: string
}

/** How one component is put in and shown. */
export interface View {
  readonly Input?: ComponentType<InputProps>
  readonly Output?: ComponentType<OutputProps>
  /** Its values are files, taken away as such. */
  readonly isFile?: boolean
  /** What is sent while nothing was put in; nothing where it is not said. */
  readonly blank?: (required: boolean) => unknown
}

/**
 * The view of a component by its name: whether its values are files is said here as in the registry, or is a type
 * error.
 */
export type ViewOf<Name> = View &
  (Name extends FileComponentName ? { readonly isFile: true } : { readonly isFile?: never })
