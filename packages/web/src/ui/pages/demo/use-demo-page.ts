import type { DemoPage } from '@origami/protocol/control'
import { requestLine } from '@origami/protocol/endpoint'
import { useCallback, useEffect, useState } from 'react'
import { call, errorOf } from '../../api.ts'

interface DemoPageState {
  readonly page: DemoPage | undefined
  readonly error: Error | undefined
  refresh(): void
}

/**
 * A demo's page, updated at each change. For visitors it is polled. For its owner it is streamed, and polled when the
 * stream breaks.
 */
export function useDemoPage(account: string, name: string): DemoPageState {
  const [page, setPage] = useState<DemoPage>()
  const [error, setError] = useState<Error>()
  const refresh = useCallback(() => {
    const seen = (now: DemoPage) => {
      setPage(now)
      setError(undefined)
    }
    // The key of the unlisted link, which gives access.
    const key = new URLSearchParams(location.search).get('key') ?? undefined
    call('GET /-/api/demos/:account/:name', { params: { account, name }, query: { key } }).then(
      seen,
      (cause: unknown) => setError(errorOf(cause)),
    )
  }, [account, name])
  useEffect(refresh, [refresh])
  const mine = page?.mine ?? false
  useEffect(() => {
    if (!mine) {
      const timer = setInterval(refresh, 20_000)
      return () => clearInterval(timer)
    }
    const source = new EventSource(
      requestLine('GET /-/api/demos/:account/:name/events', { params: { account, name } }).path,
    )
    source.addEventListener('demo', (message) => setPage(JSON.parse(message.data)))
    source.onerror = refresh
    return () => source.close()
  }, [mine, account, name, refresh])
  return { page, error, refresh }
}
