/** What an engine can promise. The contract test holds each engine to exactly this. */
export interface Guarantees {
  /** An instance sees neither the host's files nor its processes. */
  readonly isolation: boolean
}

/** By the engine's name: known before one is made, so that a command can refuse to make it. */
export const guaranteesOf = {
  docker: { isolation: true },
  process: { isolation: false },
} as const satisfies Readonly<Record<string, Guarantees>>
