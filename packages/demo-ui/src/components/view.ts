import type { FileComponentName } from '@origami/protocol/demo'
import type { ComponentType } from 'react'
import type { DemoClient } from '../client/client.ts'

/** The properties of an input's view. `value` is null while there is none. */
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

/** The views of one component. */
export interface View {
  readonly Input?: ComponentType<InputProps>
  readonly Output?: ComponentType<OutputProps>
  /** Whether its values are files, which can be downloaded. */
  readonly isFile?: boolean
  /** What is sent for an input that was left empty. Without it nothing is sent. */
  readonly blank?: (required: boolean) => unknown
}

/** The view of a component by its name. A view that disagrees with the registry about files is a type error. */
export type ViewOf<Name> = View &
  (Name extends FileComponentName ? { readonly isFile: true } : { readonly isFile?: never })
