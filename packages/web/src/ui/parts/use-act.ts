import { useState } from 'react'

export interface Acting {
  readonly busy: boolean
  /** The error of the last time. Undefined when there was none. */
  readonly problem: string | undefined
  act(work: () => Promise<unknown>): void
}

/**
 * Runs the action of a button. `busy` is true while it runs, and `problem` has its error. `after` is called in both
 * cases.
 */
export function useAct(after: () => void): Acting {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string>()
  const act = async (work: () => Promise<unknown>) => {
    setProblem(undefined)
    setBusy(true)
    await work().catch((error: unknown) => setProblem(error instanceof Error ? error.message : 'It did not work.'))
    setBusy(false)
    after()
  }
  return { busy, problem, act: (work) => void act(work) }
}
