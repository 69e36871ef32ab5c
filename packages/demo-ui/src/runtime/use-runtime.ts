import type { DemoSchema, Health } from '@origami/protocol/demo'
import { useEffect, useMemo, useState } from 'react'
import { type DemoClient, demoClient } from '../client/client.ts'

interface RuntimeState {
  readonly schema: DemoSchema | undefined
  readonly health: Health | undefined
  /** It does not answer now. Its last answers stay. */
  readonly away: boolean
}

const everyMs = 1500
const unknown: RuntimeState = { schema: undefined, health: undefined, away: false }

/** Polls the runtime, so that the page follows when the author saves the model. */
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

/** Reports the state of the runtime until the signal aborts. */
async function poll(
  demo: DemoClient,
  tell: (next: (before: RuntimeState) => RuntimeState) => void,
  signal: AbortSignal,
): Promise<void> {
  let etag: string | null = null
  while (!signal.aborted) {
    try {
      const health = await demo.health()
      // While the model is loading there is no schema yet.
      const found: Awaited<ReturnType<DemoClient['schema']>> = await demo.schema(etag).catch(() => undefined)
      if (signal.aborted) return
      if (found) etag = found.etag
      tell((before) => ({ health, away: false, schema: newer(before.schema, found?.schema) }))
    } catch {
      // Whatever failed, nobody answers, and the page says so.
      if (!signal.aborted) tell((before) => ({ ...before, away: true }))
    }
    await pause(everyMs, signal)
  }
}

/** Keeps the earlier schema when both are equal, so that nothing is drawn again. */
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
