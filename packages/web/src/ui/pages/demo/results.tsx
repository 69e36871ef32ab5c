import { Strip } from '@origami/demo-ui'
import type { DemoPage } from '@origami/protocol/control'
import { type RefObject, useEffect, useRef } from 'react'
import { Failed } from '../../parts/failed.tsx'
import { Loading } from '../../parts/loading.tsx'
import styles from '../../parts/parts.module.css'
import { useAct } from '../../parts/use-act.ts'
import { ResultRow } from './result-row.tsx'
import { useResults } from './use-results.ts'

/** The results of this visitor from the server: the newest, and older ones on request. */
export function Results({ page }: { page: DemoPage }) {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage, isFetchNextPageError } =
    useResults(page)
  const { problem, act } = useAct(() => void refetch())
  const results = data?.pages.flatMap(({ predictions }) => predictions) ?? []
  const list = useRef<HTMLUListElement>(null)
  const focusFrom = useFocusOnGrowth(list, results.length)
  const older = () => {
    focusFrom(results.length)
    void fetchNextPage()
  }
  if (!data) return error ? <Failed error={error} retry={() => void refetch()} /> : <Loading what="your results" />
  if (results.length === 0) return <p className={styles.mute}>You have not run this demo yet.</p>
  return (
    <>
      {problem && <Strip kind="wrong">{problem}</Strip>}
      <ul ref={list} className={styles.list}>
        {results.map((result) => (
          <ResultRow key={result.id} page={page} result={result} act={act} />
        ))}
      </ul>
      {error && !isFetchingNextPage ? (
        <Failed error={error} retry={isFetchNextPageError ? older : () => void refetch()} />
      ) : (
        hasNextPage && (
          <button type="button" className={styles.button} aria-busy={isFetchingNextPage} onClick={older}>
            {isFetchingNextPage ? 'Loading…' : 'Older'}
          </button>
        )
      )}
    </>
  )
}

/** When a list grows by a button below it, moves the focus to the first new item, because the button may be gone. */
function useFocusOnGrowth(list: RefObject<HTMLUListElement | null>, length: number): (from: number) => void {
  const wanted = useRef<number>(undefined)
  useEffect(() => {
    if (wanted.current === undefined || length <= wanted.current) return
    list.current?.children[wanted.current]?.querySelector('a')?.focus()
    wanted.current = undefined
  }, [list, length])
  return (from) => {
    wanted.current = from
  }
}
