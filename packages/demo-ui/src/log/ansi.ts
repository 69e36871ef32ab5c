/** A part of a line with the same style. Colours are numbers of the terminal's palette, 0 to 7. */
export interface Span {
  readonly text: string
  readonly colour?: number | undefined
  readonly bold?: boolean | undefined
  readonly faint?: boolean | undefined
}

interface Style {
  colour: number | undefined
  bold: boolean
  faint: boolean
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
const sequence = /\u001b(?:\[([0-9;:?]*)([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\^_])/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const control = /[\u0000-\u0008\u000b-\u001f\u007f]/g

/**
 * Splits a program's output into lines of coloured text. Only the escape sequences for colour and weight have an
 * effect. A carriage return begins its line again, which progress bars need.
 */
export function terminalLines(text: string): readonly (readonly Span[])[] {
  const style: Style = { colour: undefined, bold: false, faint: false }
  return text
    .replace(/\r\n/g, '\n')
    .split('\n')
    .map((line) => spansOf(line, style))
}

function spansOf(line: string, style: Style): readonly Span[] {
  let spans: Span[] = []
  let returned = false
  const add = (raw: string) => {
    const parts = raw.split('\r').map((part) => part.replace(control, ''))
    const last = parts.findLastIndex((part) => part !== '')
    if (last > 0 || (last === 0 && returned)) spans = []
    if (last >= 0) spans.push({ text: parts[last] ?? '', ...set(style) })
    returned = last < parts.length - 1 && (last >= 0 || returned || parts.length > 1)
  }
  let at = 0
  for (const match of line.matchAll(sequence)) {
    add(line.slice(at, match.index))
    at = match.index + match[0].length
    if (match[2] === 'm') apply(style, match[1] ?? '')
  }
  add(line.slice(at))
  return spans
}

function set({ colour, bold, faint }: Style): Omit<Span, 'text'> {
  return { ...(colour === undefined ? {} : { colour }), ...(bold ? { bold } : {}), ...(faint ? { faint } : {}) }
}

/**
 * Applies Select Graphic Rendition. Colours of the 256 palette and true colours are ignored, because the eight colours
 * here are readable on the page.
 */
function apply(style: Style, codes: string): void {
  const numbers = codes === '' ? [0] : codes.split(/[;:]/).map(Number)
  for (let index = 0; index < numbers.length; index++) {
    const code = numbers[index] ?? 0
    if (code === 0) Object.assign(style, { colour: undefined, bold: false, faint: false })
    else if (code === 1) style.bold = true
    else if (code === 2) style.faint = true
    else if (code === 22) Object.assign(style, { bold: false, faint: false })
    else if (code >= 30 && code <= 37) style.colour = code - 30
    else if (code >= 90 && code <= 97) style.colour = code - 90
    else if (code === 39) style.colour = undefined
    else if (code === 38 || code === 48) index += numbers[index + 1] === 5 ? 2 : 4
  }
}
