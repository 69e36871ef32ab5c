import type { z } from 'zod'
import type { Component } from './component.ts'
import { checkbox } from './components/checkbox.ts'
import { file } from './components/file.ts'
import { image } from './components/image.ts'
import { json } from './components/json.ts'
import { label } from './components/label.ts'
import { markdown } from './components/markdown.ts'
import { number } from './components/number.ts'
import { select } from './components/select.ts'
import { sketch } from './components/sketch.ts'
import { slider } from './components/slider.ts'
import { text } from './components/text.ts'

/** All components by name. */
const components = {
  text,
  number,
  slider,
  checkbox,
  select,
  image,
  sketch,
  file,
  json,
  label,
  markdown,
}

export type ComponentName = keyof typeof components
export type ComponentOptions<Name extends ComponentName> = z.output<(typeof components)[Name]['options']>
export type ComponentValue<Name extends ComponentName> = z.infer<ReturnType<(typeof components)[Name]['value']>>

/** The components whose values are files. */
export type FileComponentName = {
  [Name in ComponentName]: NonNullable<(typeof components)[Name]['file']> extends never ? never : Name
}[ComponentName]

export const componentNames = Object.keys(components) as readonly ComponentName[]

/**
 * The definition of a field's component without its types. Options and values are only used together in `validate.ts`.
 */
export const componentOf = (name: ComponentName): Component => components[name]

export const isFileComponent = (name: ComponentName): boolean => componentOf(name).file !== undefined
