import { type Document, isMap, isScalar, Lexer, LineCounter, parseDocument, visit, type YAMLParseError } from 'yaml'
import { z } from 'zod'

/** The parsed content of a YAML file of keys and values. */
export interface YamlKeys<Value> {
  readonly value: Value
  /** The line, from 1, of a key (`['limits', 'waiting']`). Undefined: the file does not contain it. */
  lineOf(path: readonly string[]): number | undefined
}

/**
 * The tokens of about a thousand keys with their values. Parsing takes time that grows with the square of these, and
 * with that of brackets and dashes that no key needs.
 */
const mostTokens = 6000
const mostDepth = 16
/** What comes from the file is cut in a message. */
const keyLength = 60
const messageLength = 300

/**
 * Parses a YAML file of keys and values by its schema. An empty file has no keys. Aliases, more than about a thousand
 * keys and more than 16 levels are refused. Throws Error with the file's name, line, column and what is expected. For
 * an unknown key it names the most similar known one.
 */
export function parseYamlKeys<Shape extends z.ZodRawShape>(
  text: string,
  schema: z.ZodObject<Shape>,
  name: string,
): YamlKeys<z.infer<z.ZodObject<Shape>>> {
  refuseTooMany(text, name)
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, logLevel: 'error' })
  const where = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${name} line ${line}, column ${col}`
  }
  const [broken] = document.errors
  if (broken) throw new Error(`${where(broken.pos[0])}: ${syntaxMessage(broken)}`)
  visit(document, {
    Collection(_key, { range }, path) {
      // A document, and a pair for each map, stand in the path too.
      if (path.length > 2 * mostDepth) throw new Error(`${where(range?.[0] ?? 0)}: ${tooDeep}`)
    },
    Alias(_key, { range, source }) {
      throw new Error(
        `${where(range?.[0] ?? 0)}: expected the value itself, got the alias *${source}; write out what it stands for`,
      )
    },
  })
  const value: unknown = document.toJS() ?? {}
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new Error(`${where(0)}: expected keys and values, such as "${Object.keys(schema.shape)[0]}: …"`)
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw new Error(describeIssue(document, schema, parsed.error, where))
  return {
    value: parsed.data,
    lineOf(path) {
      const offsets = offsetsOf(document, path)
      const at = offsets.length === path.length ? offsets.at(-1) : undefined
      return at === undefined ? undefined : lines.linePos(at).line
    },
  }
}

const tooDeep = 'expected fewer keys and lists within each other'

/** Reads the tokens alone, in time that grows with the length of the text. Throws Error. */
function refuseTooMany(text: string, name: string): void {
  let [tokens, open, line] = [0, 0, 1]
  for (const token of new Lexer().lex(text)) {
    tokens += 1
    if (token === '[' || token === '{') open += 1
    if (token === ']' || token === '}') open -= 1
    if (tokens > mostTokens || open > mostDepth)
      throw new Error(
        `${name} line ${line}, column 1: ${open > mostDepth ? tooDeep : 'expected a file of at most a thousand keys'}`,
      )
    for (const char of token) if (char === '\n') line += 1
  }
}

/** The parser's message, if it is meant for the person who writes the file and not for the caller of the parser. */
function syntaxMessage({ code, message }: YAMLParseError): string {
  if (code === 'MULTIPLE_DOCS') return 'expected one document, got another after ---'
  return message.includes('call stack') ? tooDeep : message.slice(0, messageLength)
}

function describeIssue(
  document: Document.Parsed,
  schema: z.ZodObject,
  error: z.ZodError,
  where: (offset: number) => string,
): string {
  const [issue] = error.issues
  const path = (issue?.path ?? []).map(String)
  if (issue?.code !== 'unrecognized_keys')
    return `${where(offsetsOf(document, path).at(-1) ?? 0)}: ${path.join('.')}: ${issue?.message ?? 'not understood'}`
  const [key = ''] = issue.keys
  const place = where(offsetsOf(document, [...path, key]).at(-1) ?? 0)
  const shown = JSON.stringify(key.length > keyLength ? `${key.slice(0, keyLength)}…` : key)
  return `${place}: unknown key ${shown}; did you mean ${nearest(key.slice(0, keyLength), keysAt(schema, path))}?`
}

/** The offsets of a path's keys in the file, outermost first, for those that the file has. */
function offsetsOf(document: Document.Parsed, path: readonly string[]): number[] {
  let node: unknown = document.contents
  const offsets: number[] = []
  for (const part of path) {
    const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && nameOf(key.value) === part) : undefined
    if (!pair || !isScalar(pair.key)) break
    offsets.push(pair.key.range?.[0] ?? 0)
    node = pair.value
  }
  return offsets
}

/** A key in the form of the parsed value. */
const nameOf = (key: unknown): string => (key === null ? '' : String(key))

function keysAt(schema: z.ZodType, path: readonly string[]): string[] {
  let at: unknown = schema
  for (const part of path) {
    at = inner(at)
    at = at instanceof z.ZodObject ? at.shape[part] : undefined
  }
  at = inner(at)
  return at instanceof z.ZodObject ? Object.keys(at.shape) : []
}

function inner(schema: unknown): unknown {
  const isWrapped = schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault
  return isWrapped ? inner(schema.unwrap()) : schema
}

/** The known word with the smallest edit distance. */
export function nearest(key: string, known: readonly string[]): string {
  const [best = ''] = known.toSorted((a, b) => distance(key, a) - distance(key, b))
  return best
}

/** Levenshtein's edit distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries())
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)))
    row = next
  }
  return row.at(-1) ?? 0
}
