/** What an engine promises. The contract test checks each engine for exactly this. */
export interface Guarantees {
  /** An instance sees neither the host's files nor its processes. */
  readonly isolation: boolean
}

/** The guarantees by the engine's name, known before an engine is made, so that a command can refuse to make it. */
export const guaranteesOf = {
  docker: { isolation: true },
  process: { isolation: false },
} as const satisfies Readonly<Record<string, Guarantees>>
