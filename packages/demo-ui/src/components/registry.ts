import type { ComponentName } from '@origami/protocol/demo'
import { checkbox } from './checkbox.tsx'
import { file } from './file.tsx'
import { image } from './image.tsx'
import { json } from './json.tsx'
import { label } from './label.tsx'
import { markdown } from './markdown.tsx'
import { number } from './number.tsx'
import { select } from './select.tsx'
import { sketch } from './sketch.tsx'
import { slider } from './slider.tsx'
import { text } from './text.tsx'
import type { ViewOf } from './view.ts'

/** The views of all components. */
export const views: { readonly [Name in ComponentName]: ViewOf<Name> } = {
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
