import { isIP } from 'node:net'
import { isAbsolute, resolve } from 'node:path'
import { type ForgeEntry, forgesSchema } from '@origami/protocol/control'

/** How people write a setting. */
export interface Kind<Value> {
  /** The expected form, for messages such as "expected a size such as 512m". */
  readonly expected: string
  /**
   * Reads the text of a flag or of the environment, or the value in a file. Relative paths start at `base`. The Error
   * says what was expected and what came.
   */
  read(written: unknown, base: string): Value
  /** The value as a person would write it. */
  write(value: Value): string
}

interface Definition<Value> extends Omit<Kind<Value>, 'read'> {
  /** Takes out of a text of another kind what no message may show. */
  readonly withoutSecrets?: (written: string) => string
  /** Undefined: the text is not of this kind. */
  read(written: unknown, base: string): Value | undefined
}

function kind<Value>({ expected, read, write, withoutSecrets }: Definition<Value>): Kind<Value> {
  return {
    expected,
    write,
    read(written, base) {
      const value = read(written, base)
      if (value === undefined) throw new Error(`expected ${expected}, got ${shown(written, withoutSecrets)}`)
      return value
    },
  }
}

function shown(written: unknown, withoutSecrets = (text: string) => text): string {
  const text = withoutSecrets(typeof written === 'string' ? written : (JSON.stringify(written) ?? 'nothing'))
  return text.length > 200 ? `${text.slice(0, 199)}…` : text
}

export const text = (expected: string, pattern = /./): Kind<string> =>
  textThat(expected, (written) => pattern.test(written))

function textThat(expected: string, fits: (written: string) => boolean): Kind<string> {
  return kind({
    expected,
    read: (written) => (typeof written === 'string' && fits(written) ? written : undefined),
    write: (value) => value,
  })
}

/** `10.0.0.0/8`: an address, and the number of its significant bits. */
export const network: Kind<string> = textThat('a network such as 10.0.0.0/8', isNetwork)

export const addressOrNetwork: Kind<string> = textThat(
  'an address or a network such as 10.0.0.0/8',
  (written) => isIP(written) !== 0 || isNetwork(written),
)

function isNetwork(written: string): boolean {
  const [, address = '', bits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(written) ?? []
  return Number(bits) <= { 0: -1, 4: 32, 6: 128 }[isIP(address) as 0 | 4 | 6]
}

export const path: Kind<string> = kind({
  expected: 'a path',
  read: (written, base) => (typeof written === 'string' && written !== '' ? resolve(base, written) : undefined),
  write: (value) => value,
})

/** The origin of a server, without a path. */
export const origin = (...protocols: ('http:' | 'https:')[]): Kind<string> =>
  kind({
    expected: `an address such as ${protocols.at(-1)}//demos.example.org, without a path`,
    read(written) {
      if (typeof written !== 'string' || !URL.canParse(written)) return undefined
      const { origin, href, protocol } = new URL(written)
      return protocols.some((one) => one === protocol) && href === `${origin}/` ? origin : undefined
    },
    // A name and a password stand before the last @, after the scheme if there is one.
    withoutSecrets: (written) => written.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1…@'),
    write: (value) => value,
  })

export const choice = <Choice extends string>(...choices: Choice[]): Kind<Choice> =>
  kind({
    expected: choices.join(' or '),
    read: (written) => choices.find((one) => one === written),
    write: (value) => value,
  })

export const yesNo: Kind<boolean> = kind({
  expected: 'true or false',
  read: (written) => [true, false].find((one) => written === one || written === String(one)),
  write: String,
})

/** A list in a file, or a text with commas in the environment. A flag may be repeated. */
export const list = <Item>(item: Kind<Item>, { atLeast = 0 } = {}): Kind<readonly Item[]> =>
  kind({
    expected: `a list, each ${item.expected}`,
    read(written, base) {
      // A list in a file that contains only comments is null.
      const parts = typeof written === 'string' ? written.split(',').map((part) => part.trim()) : (written ?? [])
      if (!Array.isArray(parts)) return undefined
      const items = parts.filter((part) => part !== '').map((part: unknown) => item.read(part, base))
      return items.length >= atLeast ? items : undefined
    },
    write: (value) => value.map((one) => item.write(one)).join(', '),
  })

const forgesExpected = 'a list of forges (host, kind, web, api, git), or the path of a JSON file with one'

/** The forges themselves, or the path of a JSON file that lists them. */
export const forges: Kind<string | readonly ForgeEntry[]> = kind({
  expected: forgesExpected,
  read(written, base) {
    if (typeof written === 'string' && written !== '') return isAbsolute(written) ? written : resolve(base, written)
    const parsed = forgesSchema.safeParse(written)
    if (parsed.success) return parsed.data
    const [issue] = parsed.error.issues
    throw new Error(`expected ${forgesExpected}; ${issue?.path.join('.')}: ${issue?.message}`)
  },
  write: (value) => (typeof value === 'string' ? value : value.map(({ host }) => host).join(', ')),
})

const most = 1_000_000_000

export const count = ({ from = 1, to = most } = {}): Kind<number> =>
  kind({
    expected: to === most ? `a whole number from ${from}` : `a whole number from ${from} to ${to}`,
    read(written) {
      const value = numberOf(written)
      return Number.isInteger(value) && value >= from && value <= to ? value : undefined
    },
    write: String,
  })

/** A number greater than 0, which may be a fraction. */
export const amount: Kind<number> = kind({
  expected: 'a number above 0, such as 2 or 0.5',
  read(written) {
    const value = numberOf(written)
    return value > 0 && value <= most ? value : undefined
  },
  write: String,
})

/** A share of a whole: greater than 0 and at most 1. */
export const part: Kind<number> = kind({
  expected: 'a part above 0 and at most 1, such as 0.75',
  read(written) {
    const value = numberOf(written)
    return value > 0 && value <= 1 ? value : undefined
  },
  write: String,
})

const sizes = { t: 1024 ** 4, g: 1024 ** 3, m: 1024 ** 2, k: 1024 }

/** In bytes. */
export const size: Kind<number> = kind({
  expected: 'a size such as 512k, 32m or 5g',
  read(written) {
    const [, digits, unit = ''] = /^([0-9]{1,13}(?:\.[0-9]{1,10})?)([kmgt])$/i.exec(textOf(written)) ?? []
    const bytes = Math.round(Number(digits) * (sizes[unit.toLowerCase() as keyof typeof sizes] ?? Number.NaN))
    return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined
  },
  write: (bytes) => withUnit(bytes, sizes, 'k'),
})

/** In bytes, with an upper limit that another part of Origami sets. */
export const sizeUpTo = (most: string): Kind<number> =>
  kind({
    expected: `a size such as 512k or 32m, at most ${most}`,
    read(written, base) {
      const bytes = size.read(written, base)
      return bytes <= size.read(most, base) ? bytes : undefined
    },
    write: size.write,
  })

/** In bytes. 0 means no limit. */
export const sizeOrNone: Kind<number> = kind({
  expected: 'a size such as 512k, 32m or 5g, or 0',
  read: (written, base) => (numberOf(written) === 0 ? 0 : size.read(written, base)),
  write: (bytes) => (bytes === 0 ? '0' : size.write(bytes)),
})

const durations = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 }

/**
 * A duration, by default in whole milliseconds, or in the unit named. A Node timer longer than `longestTimer` fires at
 * once, so durations in milliseconds are not longer. The other durations are subtracted from the present date, and
 * dates have a limit.
 */
export const duration = (unit: keyof typeof durations = 'ms'): Kind<number> => {
  const longest = unit === 'ms' ? longestTimer : longestAgo
  return kind({
    expected: `a time such as 30s, 10m, 12h${unit === 'ms' ? ' (at most 24d)' : ' or 30d (at most 36500d)'}`,
    read(written) {
      const [, digits, letter = ''] = /^([0-9]{1,13}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)$/.exec(textOf(written)) ?? []
      const milliseconds = Math.round(Number(digits) * durations[letter as keyof typeof durations])
      return milliseconds > 0 && milliseconds <= longest ? milliseconds / durations[unit] : undefined
    },
    write: (value) => withUnit(Math.round(value * durations[unit]), durations, 'ms'),
  })
}

const longestTimer = 24 * durations.d
const longestAgo = 36_500 * durations.d

/** A list with one item must not be read as that item. */
const textOf = (written: unknown): string => (typeof written === 'string' ? written : '')

function numberOf(written: unknown): number {
  return typeof written === 'number' || (typeof written === 'string' && written.trim() !== '')
    ? Number(written)
    : Number.NaN
}

/** The value in the largest unit that gives a whole number. */
function withUnit(value: number, units: Record<string, number>, smallest: string): string {
  const [unit, factor] = Object.entries(units).find(([, each]) => value >= each && value % each === 0) ?? [
    smallest,
    units[smallest] ?? 1,
  ]
  return `${value / factor}${unit}`
}
