import type { DemoPage } from '@origami/protocol/control'
import type { PredictionSnapshot } from '@origami/protocol/demo'
import { useInfiniteQuery } from '@tanstack/react-query'
import { get } from '../../api.ts'

interface ResultsPage {
  readonly predictions: PredictionSnapshot[]
  /** What is older is asked for by this number; missing on the last page. */
  readonly next?: number | undefined
}

/** What this visitor ran, newest first, a page at a time. Asked again while one of them has not ended: the more pages, the more seldom. */
export function useResults({ address }: DemoPage) {
  const path = `/-/api/demos${address}/results`
  return useInfiniteQuery({
    queryKey: ['results', address],
    queryFn: ({ pageParam }) => get<ResultsPage>(pageParam === undefined ? path : `${path}?before=${pageParam}`),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: ({ next }) => next,
    gcTime: 0,
    refetchInterval: ({ state: { data } }) => (data?.pages.some(hasRunning) ? 1000 * data.pages.length : false),
  })
}

const hasRunning = ({ predictions }: ResultsPage): boolean => predictions.some(({ completed_at }) => completed_at === null)
