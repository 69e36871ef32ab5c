import { Refusal } from '@origami/protocol/client'
import type { DemoPage } from '@origami/protocol/control'
import { useCallback, useEffect, useState } from 'react'
import { send } from '../../api.ts'

/** Of a longer log only the end is shown, with this many characters. */
const shownCharacters = 500_000

interface FollowedLog {
  readonly text: string
  /** Why there is no log, or no more of it, in the server's words. It is never part of the log. */
  readonly error: Refusal | undefined
  retry(): void
}

/** The end of a log's text, as it comes. Reconnects at the same place when the connection breaks. */
export function useLog({ account, name }: DemoPage): FollowedLog {
  const [text, setText] = useState('')
  const [error, setError] = useState<Refusal>()
  const [attempt, setAttempt] = useState(0)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt begins anew.
  useEffect(() => {
    const gone = new AbortController()
    void follow({ account, name }, gone.signal, {
      onPart: (part) => setText((before) => (before + part).slice(-shownCharacters)),
      onProblem: setError,
    })
    return () => {
      gone.abort()
      setText('')
      setError(undefined)
    }
  }, [account, name, attempt])
  const retry = useCallback(() => setAttempt((before) => before + 1), [])
  return { text, error, retry }
}

interface Listener {
  onPart(part: string): void
  onProblem(problem: Refusal | undefined): void
}

async function follow(
  params: Pick<DemoPage, 'account' | 'name'>,
  signal: AbortSignal,
  { onPart, onProblem }: Listener,
): Promise<void> {
  const decoder = new TextDecoder()
  let offset = 0
  while (!signal.aborted) {
    try {
      const sent = { params, query: { follow: '1', offset } } as const
      const response = await send('GET /-/api/demos/:account/:name/logs', sent, { signal })
      onProblem(undefined)
      const reader = response.body?.getReader()
      for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
        offset += part.value.length
        onPart(decoder.decode(part.value, { stream: true }))
      }
    } catch (error) {
      if (signal.aborted) return
      // A broken connection is opened again below. An error of the server is shown meanwhile.
      if (error instanceof Refusal) onProblem(error)
      if (error instanceof Refusal && error.status < 500) return
    }
    await new Promise((resolve) => setTimeout(resolve, 2000))
  }
}
