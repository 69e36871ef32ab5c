import type { DemoSchema, Health } from '@origami/protocol/demo'
import { useEffect, useMemo, useState } from 'react'
import { type DemoClient, demoClient } from '../client/client.ts'

interface RuntimeState {
  readonly schema: DemoSchema | undefined
  readonly health: Health | undefined
  /** It does not answer now; what it said before stays. */
  readonly away: boolean
}

const everyMs = 1500
const unknown: RuntimeState = { schema: undefined, health: undefined, away: false }

/** Asks again and again: the author saves the model, and the page follows. */
export function useRuntime(): RuntimeState {
  const demo = useMemo(() => demoClient(''), [])
  const [state, setState] = useState(unknown)
  useEffect(() => {
    const leaving = new AbortController()
    void poll(demo, setState, leaving.signal)
    return () => leaving.abort()
  }, [demo])
  return state
}

/** Tells how the runtime stands, until the signal aborts. */
async function poll(
  demo: DemoClient,
  tell: (next: (before: RuntimeState) => RuntimeState) => void,
  signal: AbortSignal,
): Promise<void> {
  let etag: string | null = null
  while (!signal.aborted) {
    try {
      const health = await demo.health()
      // While the model is being loaded there is no schema yet.
      const found: Awaited<ReturnType<DemoClient['schema']>> = await demo.schema(etag).catch(() => undefined)
      if (signal.aborted) return
      if (found) etag = found.etag
      tell((before) => ({ health, away: false, schema: newer(before.schema, found?.schema) }))
    } catch {
      // Any failure is the same to who looks on: nobody answers.
      if (!signal.aborted) tell((before) => ({ ...before, away: true }))
    }
    await pause(everyMs, signal)
  }
}

/** The one before where both say the same, so that nothing is drawn anew. */
function newer(before: DemoSchema | undefined, found: DemoSchema | undefined): DemoSchema | undefined {
  return found === undefined || JSON.stringify(before) === JSON.stringify(found) ? before : found
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
