/** A problem of a value as Zod reports it and a Fastify validator passes it on. */
interface Issue {
  /** The place of the problem from the value's root. Empty for the value as a whole. */
  readonly path: readonly PropertyKey[]
  readonly message: string
  /** The problems of each choice of a union. */
  readonly errors?: unknown
}

const longest = 500

/** Says what does not fit a schema, with the field of each problem. `whole` names a problem without a field. */
export function misfitMessage(issues: readonly Issue[], whole = ''): string {
  return clipped([...new Set(issues.flatMap((issue) => issueMessages(issue, whole)))].join('; '))
}

/** Shortens a text that callers wrote, or that grows with it, for an answer. */
export const clipped = (text: string): string => (text.length > longest ? `${text.slice(0, longest - 1)}…` : text)

/** For a union, the problems of the choices that have the fewest. */
function issueMessages(issue: Issue, whole: string): string[] {
  const { path, message, errors } = issue
  if (!isChoices(errors)) return [named(path, message, whole)]
  const fewest = Math.min(...errors.map((choice) => choice.length))
  const nearest = errors.filter((choice) => choice.length === fewest)
  const withWholePath = (one: Issue): Issue => ({ ...one, path: [...path, ...one.path] })
  const messages = nearest.map((choice) => choice.flatMap((one) => issueMessages(withWholePath(one), whole)).join('; '))
  return [[...new Set(messages)].join(', or ')]
}

function named(path: readonly PropertyKey[], message: string, whole: string): string {
  const name = path.length === 0 ? whole : path.map(String).join('.')
  return name === '' ? message : `${name}: ${message}`
}

const isChoices = (errors: unknown): errors is readonly (readonly Issue[])[] =>
  Array.isArray(errors) && errors.length > 0 && errors.every((choice) => Array.isArray(choice) && choice.length > 0)
