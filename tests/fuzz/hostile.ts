import fc from 'fast-check'

/** A request as it goes out, byte for byte. */
export interface HostileRequest {
  readonly method: string
  /** With its query, as it stands on the wire. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

/** A route of a server: `PUT /predictions/{id}`. */
export interface FuzzedRoute {
  readonly method: string
  readonly path: string
}

/** What a server knows, so that a request comes further than to its first check. */
export interface Known {
  /** By the name of a parameter in a path. */
  readonly params: Readonly<Record<string, readonly string[]>>
  /** Bodies that would be taken. */
  readonly bodies: readonly unknown[]
}

const unfit = [
  '',
  '.',
  '..',
  '../../etc/passwd',
  '__proto__',
  'constructor',
  'null',
  '-1',
  '1e309',
  '9007199254740993',
  '\u0000',
  '\r\nx: y',
  '\ud800',
  '\u202e',
  "';--",
  '🎉',
  'a'.repeat(101),
  'a'.repeat(501),
  'http://127.0.0.1:1/',
  'http://[::127.0.0.1]/x',
  '/files/0123456789abcdef/\ud800',
  'data:image/png;base64,AAAA',
  'data:,%zz',
]
const text = fc.oneof(fc.constantFrom(...unfit), fc.string({ unit: 'binary', maxLength: 40 }))
/** Such bytes as no program would make of a text. */
const wireOnly = fc.constantFrom('%', '%zz', '%00', '%ED%A0%80', '%2e%2e%2f', '%FF', ';', '//')

const onWire = (words: string): string => encodeURIComponent(words.toWellFormed())
const segment = fc.oneof(text.map(onWire), wireOnly)

const queryNames = [
  'return',
  'scope',
  'after',
  'follow',
  'offset',
  'limit',
  'page',
  'search',
  'sort',
  'key',
  'code',
  'state',
  'visitor',
]
const query = fc
  .array(fc.tuple(fc.oneof(fc.constantFrom(...queryNames), segment), segment), { maxLength: 4 })
  .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join('&'))

const headerText = fc.oneof(
  fc.string({
    unit: fc.integer({ min: 32, max: 254 }).map((code) => String.fromCharCode(code === 127 ? 255 : code)),
    maxLength: 60,
  }),
  fc.constantFrom('respond-async', 'wait=0', 'wait=1e9', 'bytes=0-', 'bytes=-1', 'bytes=5-1,2-', '-1', '*'),
)
const headerNames = [
  'prefer',
  'last-event-id',
  'range',
  'if-none-match',
  'accept',
  'cookie',
  'origami-visitor',
  'origami-address',
  'x-forwarded-for',
  'authorization',
  'accept-encoding',
]
const headers = fc.dictionary(fc.constantFrom(...headerNames), headerText, { maxKeys: 3 })

const types = [
  'application/json',
  'application/json; charset=utf-16',
  'text/plain',
  'application/octet-stream',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
  'x',
]

const value = fc.oneof(text, fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }))
/** A body that would be taken, with some of its values changed. */
const changed = (bodies: readonly unknown[]): fc.Arbitrary<unknown> =>
  fc
    .tuple(fc.constantFrom(...bodies), fc.array(value, { minLength: 1, maxLength: 4 }), fc.nat(7))
    .map(([body, values, at]) => {
      let seen = 0
      const change = (old: unknown): unknown => {
        if (Array.isArray(old)) return old.map(change)
        if (typeof old === 'object' && old !== null)
          return Object.fromEntries(Object.entries(old).map(([name, inner]) => [name, change(inner)]))
        const now = seen >= at ? values[(seen - at) % (values.length * 2)] : undefined
        seen += 1
        return now === undefined ? old : now
      }
      return change(body)
    })

const deep = 100_000
const broken = [
  '[',
  '{"input":',
  '{"input":{"__proto__":{"x":1}}}',
  '{"__proto__":null}',
  'null',
  '"\\ud800"',
  '\u0000',
  '['.repeat(deep) + ']'.repeat(deep),
  `${'{"input":'.repeat(deep)}1${'}'.repeat(deep)}`,
  `{"input":{"word":${'['.repeat(deep)}${']'.repeat(deep)}}}`,
  JSON.stringify({ input: { word: 'x'.repeat(1024 ** 2) } }),
]
const body = (bodies: readonly unknown[]): fc.Arbitrary<string | undefined> =>
  fc.oneof(
    { weight: 4, arbitrary: changed(bodies).map((made) => JSON.stringify(made)) },
    { weight: 2, arbitrary: fc.constantFrom(...broken) },
    { weight: 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: text },
  )

/** Requests to these routes that nobody should send. */
export function hostileRequest(routes: readonly FuzzedRoute[], known: Known): fc.Arbitrary<HostileRequest> {
  return fc.constantFrom(...routes).chain(({ method, path }) => {
    const params = path.split('/').map((part) => {
      const name = /^[:{](\w+)\}?$/.exec(part)?.[1]
      if (name === undefined) return fc.constant(part === '*' ? 'a' : part)
      const values = known.params[name] ?? []
      return values.length === 0
        ? segment
        : fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: segment })
    })
    const takesBody = method !== 'GET' && method !== 'HEAD'
    return fc.record({
      method: fc.constant(method),
      path: fc.tuple(fc.tuple(...params), query).map(([parts, words]) => parts.join('/') + (words && `?${words}`)),
      headers: takesBody
        ? fc
            .tuple(
              headers,
              fc.oneof(
                { weight: 3, arbitrary: fc.constant('application/json') },
                { weight: 1, arbitrary: fc.constantFrom(...types) },
              ),
            )
            .map(([sent, type]) => ({ ...sent, 'content-type': type }))
        : headers,
      body: takesBody ? body(known.bodies) : fc.constant(undefined),
    })
  })
}
