import { posix } from 'node:path'
import { ConfigError } from '../engine.ts'

/** The comparisons that all paths of a context may take together: a few seconds, of which a path takes a small part. */
const mostSteps = 100_000_000

type Accepts = (code: number) => boolean

/**
 * A place in a pattern. `is` goes on with one character and `some` too, of several; `star` stays with any character but
 * a slash and `rest` with any; `dirs` goes on to the `folders` that follow it, or past them, and those stay with any
 * character and go on after a slash.
 */
type Place =
  | { readonly kind: 'is'; readonly code: number }
  | { readonly kind: 'some'; readonly accepts: Accepts }
  | { readonly kind: 'star' | 'rest' | 'dirs' | 'folders' }

interface Rule {
  readonly text: string
  readonly isException: boolean
  readonly places: readonly Place[]
}

const slash = 47

/**
 * What a `.dockerignore` excludes, by the rules of Docker's patternmatcher. All places that a pattern may have reached
 * are followed side by side, character by character, so the time is at most the product of both lengths, whatever the
 * pattern is; and the steps of all paths are counted.
 */
export class IgnoreRules {
  private readonly rules: readonly Rule[]
  private stepsLeft: number
  /** For each place of a pattern, the last set of places that it was put into. */
  private readonly putInto: Uint32Array
  private sets = 0

  /** Throws ConfigError, here and in `excludes`. */
  constructor(text: string, steps = mostSteps) {
    this.rules = text
      .replace(/^\uFEFF/, '')
      .split(/\r?\n/)
      .flatMap((line, index) => ruleOf(line, index + 1))
    this.stepsLeft = steps
    this.putInto = new Uint32Array(this.rules.reduce((most, { places }) => Math.max(most, places.length), 0) + 1)
  }

  /** Whether a path is excluded, itself or by one of its folders. The last rule that fits counts. */
  excludes(path: string): boolean {
    const codes = Array.from(path, (char) => char.codePointAt(0) ?? 0)
    let excluded = false
    // Another rule of the same kind would change nothing.
    for (const { isException, places } of this.rules)
      if (isException === excluded && this.fits(places, codes)) excluded = !excluded
    return excluded
  }

  /** Whether an exception may stand in the folder of this path, so that it has to be walked although it is excluded. */
  mayHoldExceptions(path: string): boolean {
    return this.rules.some(({ isException, text }) => isException && text.startsWith(`${path}/`))
  }

  private fits(places: readonly Place[], codes: readonly number[]): boolean {
    let [reached, next]: [number[], number[]] = [[], []]
    const isWhole = () => this.putInto[places.length] === this.sets
    this.sets += 1
    this.put(places, reached, 0)
    for (let index = 0; index < codes.length; index += 1) {
      const alone = reached.length === 1 ? places[reached[0] ?? 0] : undefined
      // Nothing but a slash leads on from there.
      if (alone?.kind === 'folders') index = codes.indexOf(slash, index)
      if (index < 0) return false
      const code = codes[index] ?? 0
      if (code === slash && isWhole()) return true
      this.count(reached.length)
      this.sets += 1
      next.length = 0
      for (const at of reached) {
        const place = places[at]
        if (place?.kind === 'rest' || place?.kind === 'folders' || (place?.kind === 'star' && code !== slash))
          this.put(places, next, at)
        if (goesOn(place, code)) this.put(places, next, at + 1)
      }
      if (next.length === 0) return false
      ;[reached, next] = [next, reached]
    }
    return isWhole()
  }

  /** Puts a place into the newest set, and those that are reached from it without a character. */
  private put(places: readonly Place[], into: number[], from: number): void {
    for (let at = from; this.putInto[at] !== this.sets; at += 1) {
      this.putInto[at] = this.sets
      into.push(at)
      const kind = places[at]?.kind
      if (kind === 'dirs') this.put(places, into, at + 2)
      else if (kind !== 'star' && kind !== 'rest') return
    }
  }

  private count(steps: number): void {
    this.stepsLeft -= steps + 1
    if (this.stepsLeft < 0)
      throw new ConfigError(
        '`.dockerignore` takes too long to compare with the files of the repository; expected fewer or simpler patterns',
      )
  }
}

function goesOn(place: Place | undefined, code: number): boolean {
  if (place?.kind === 'is') return place.code === code
  if (place?.kind === 'folders') return code === slash
  return place?.kind === 'some' && place.accepts(code)
}

/** None for an empty line and a comment. */
function ruleOf(line: string, number: number): Rule[] {
  const written = line.startsWith('#') ? '' : line.trim()
  const isException = written.startsWith('!')
  const bare = (isException ? written.slice(1) : written).trim()
  if (bare === '') return []
  const text = posix.normalize(bare).replace(/^\/(?=.)|(?<=.)\/$/g, '')
  return [{ text, isException, places: placesOf([...text], number) }]
}

function placesOf(chars: readonly string[], line: number): Place[] {
  const places: Place[] = []
  let at = 0
  while (at < chars.length) {
    const char = chars[at] ?? ''
    if (char === '*' && chars[at + 1] === '*') {
      at += chars[at + 2] === '/' ? 3 : 2
      if (at < chars.length) places.push({ kind: 'dirs' }, { kind: 'folders' })
      else places.push({ kind: 'rest' })
    } else if (char === '[') {
      const end = chars.indexOf(']', at + 2)
      if (end < 0) throw new ConfigError(`\`.dockerignore\` line ${line}: expected a \`]\` after \`[\``)
      places.push({ kind: 'some', accepts: oneOf(chars.slice(at + 1, end)) })
      at = end + 1
    } else {
      const literal = char === '\\' ? (chars[at + 1] ?? char) : char
      if (char === '*') places.push({ kind: 'star' })
      else if (char === '?') places.push({ kind: 'some', accepts: (code) => code !== slash })
      else places.push({ kind: 'is', code: literal.codePointAt(0) ?? 0 })
      at += char === '\\' ? 2 : 1
    }
  }
  return places
}

/** What stands between brackets: characters and ranges of them, after `^` all others. */
function oneOf(written: readonly string[]): Accepts {
  const isNegated = written[0] === '^'
  const codes = (isNegated ? written.slice(1) : written).map((char) => char.codePointAt(0) ?? 0)
  const [dash, backslash] = [45, 92]
  const ranges: { from: number; to: number }[] = []
  for (let at = 0; at < codes.length; at += 1) {
    if (codes[at] === backslash && at + 1 < codes.length) at += 1
    const from = codes[at] ?? 0
    const isRange = codes[at + 1] === dash && at + 2 < codes.length
    ranges.push({ from, to: isRange ? (codes[at + 2] ?? from) : from })
    if (isRange) at += 2
  }
  return (code) => ranges.some(({ from, to }) => code >= from && code <= to) !== isNegated
}
