import { builder } from './fields.ts'

/** Text: one line, or several with `multiline`. As an output, the parts that a generator yields are appended. */
export const text = builder('text')
/** A number typed in. */
export const number = builder('number')
/** A number between `min` and `max`, chosen with a slider. An input only. */
export const slider = builder('slider')
/** Yes or no. */
export const checkbox = builder('checkbox')
/** One of `choices`. An input only. */
export const select = builder('select')
/** A picture: uploaded, dropped or pasted. */
export const image = builder('image')
/** A drawing, black on white, as a PNG. An input only. */
export const sketch = builder('sketch')
/** Any file. */
export const file = builder('file')
/** Any JSON. */
export const json = builder('json')
/** Confidences by class, shown as bars. An output only. */
export const label = builder('label')
/** Markdown text, shown formatted. An output only. */
export const markdown = builder('markdown')
