/** What a person did or has that cannot work. The message says what was expected, what came and what to do next; no stack is shown. */
export class Failure extends Error {
  override readonly name = 'Failure'
}
