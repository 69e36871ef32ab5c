/** What is wrong with a value, as Zod tells it and as a validator of Fastify hands it on. */
interface Issue {
  /** Where, from the value's root; empty: the value as a whole. */
  readonly path: readonly PropertyKey[]
  readonly message: string
  /** What each choice of a union has against it. */
  readonly errors?: unknown
}

const longest = 500

/** Says what does not fit a schema, each with the field that it is about; `whole` names what has no field. */
export function misfitMessage(issues: readonly Issue[], whole = ''): string {
  return clipped([...new Set(issues.flatMap((issue) => issueMessages(issue, whole)))].join('; '))
}

/** A text that callers wrote, or that grows with what they wrote, short enough for an answer. */
export const clipped = (text: string): string => (text.length > longest ? `${text.slice(0, longest - 1)}…` : text)

/** Of a union, what is nearest to it has against the value: the choices with the fewest things wrong. */
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
