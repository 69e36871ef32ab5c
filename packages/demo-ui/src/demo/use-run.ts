import { Refusal } from '@origami/protocol/client'
import type { DemoSchema, Input, Problem } from '@origami/protocol/demo'
import { useCallback, useEffect, useRef, useState } from 'react'
import type { DemoClient } from '../client/client.ts'
import { afterEvent, type DemoRun, isRunActive, sendingRun, withSnapshot } from '../client/run.ts'

export interface RunControls {
  readonly run: DemoRun | undefined
  /** The problems of single fields, as the server reported them. */
  readonly problems: readonly Problem[]
  /** Sends the input when it is ready. If it resolves to undefined nothing is sent, and what was shown before stays. */
  start(input: () => Promise<Input | undefined>): void
  cancel(): void
}

/**
 * Runs one prediction at a time and follows it to its end. `shown` is the id of one to show from the start, after a
 * reload or for its permalink.
 */
export function useRun(
  demo: DemoClient,
  schema: DemoSchema,
  shown: string | undefined,
  onId: (id: string | undefined) => void,
): RunControls {
  const [run, setRun] = useState<DemoRun>()
  const [problems, setProblems] = useState<readonly Problem[]>([])
  const stop = useRef<() => void>(undefined)
  const current = useRef<string>(undefined)
  const count = useRef(0)

  const follow = useCallback(
    (key: string, id: string) => {
      stop.current?.()
      stop.current = demo.follow(id, (event) =>
        setRun((before) => (before?.key === key ? afterEvent(before, event, schema, Date.now()) : before)),
      )
    },
    [demo, schema],
  )

  useEffect(() => {
    if (!shown || shown === current.current) return
    current.current = shown
    void demo.snapshot(shown).then(
      (snapshot) => {
        if (!snapshot) return onId(undefined)
        const ended = snapshot.completed_at !== null
        // For a prediction that still runs, the stream repeats all of its output and log.
        const start = ended ? snapshot : { ...snapshot, output: null, logs: '' }
        setRun(withSnapshot(sendingRun(shown, snapshot.input), start, schema, Date.now()))
        if (!ended) follow(shown, shown)
      },
      () => undefined,
    )
  }, [demo, schema, shown, follow, onId])
  useEffect(() => () => stop.current?.(), [])

  const start = useCallback(
    async (ready: () => Promise<Input | undefined>) => {
      const key = `run ${count.current++}`
      setProblems([])
      setRun(sendingRun(key, {}))
      const input = await ready()
      if (!input) return setRun(undefined)
      try {
        const snapshot = await demo.submit(input)
        current.current = snapshot.id
        setRun(withSnapshot({ ...sendingRun(key, input), id: snapshot.id }, snapshot, schema, Date.now()))
        onId(snapshot.id)
        follow(key, snapshot.id)
      } catch (error) {
        setProblems(error instanceof Refusal ? error.problems : [])
        setRun(unsent(sendingRun(key, input), error))
      }
    },
    [demo, schema, follow, onId],
  )
  const cancel = useCallback(() => {
    if (run?.id && isRunActive(run)) void demo.cancel(run.id)
  }, [demo, run])
  return { run, problems, start: (input) => void start(input), cancel }
}

/**
 * A run that the server did not accept, with the reason. Undefined when fields are wrong, because each field shows that
 * itself.
 */
function unsent(run: DemoRun, error: unknown): DemoRun | undefined {
  const refused = error instanceof Refusal ? error : undefined
  if (refused?.problems.some(({ field }) => field !== undefined)) return undefined
  const message = refused?.message ?? 'The server did not answer. Is it running?'
  return { ...run, phase: 'failed', reason: 'refused', error: message }
}
