import type { DemoPage } from '@origami/protocol/control'
import { useCallback, useEffect, useState } from 'react'
import { ApiError, get } from '../../api.ts'

interface Followed {
  readonly page: DemoPage | undefined
  readonly error: ApiError | undefined
  refresh(): void
}

/** A demo's page, and each change of it. For visitors it is asked for now and then; for its owner it is streamed. */
export function useDemoPage(account: string, name: string): Followed {
  const [page, setPage] = useState<DemoPage>()
  const [error, setError] = useState<ApiError>()
  const path = `/-/api/demos/${account}/${name}`
  const refresh = useCallback(() => {
    const seen = (now: DemoPage) => {
      setPage(now)
      setError(undefined)
    }
    get<DemoPage>(`${path}${location.search}`).then(seen, (cause: unknown) =>
      setError(cause instanceof ApiError ? cause : new ApiError(0, 'The server did not answer.')),
    )
  }, [path])
  useEffect(refresh, [refresh])
  const mine = page?.mine ?? false
  useEffect(() => {
    if (!mine) {
      const timer = setInterval(refresh, 20_000)
      return () => clearInterval(timer)
    }
    const source = new EventSource(`${path}/events`)
    source.addEventListener('demo', (message) => setPage(JSON.parse(message.data)))
    return () => source.close()
  }, [mine, path, refresh])
  return { page, error, refresh }
}
