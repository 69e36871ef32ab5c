import { useState } from 'react'

export interface Acting {
  readonly busy: boolean
  /** What went wrong the last time. */
  readonly problem: string | undefined
  act(work: () => Promise<unknown>): void
}

/** Does what a button says: while it goes on `busy`, and what went wrong in `problem`. `after` follows either way. */
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
