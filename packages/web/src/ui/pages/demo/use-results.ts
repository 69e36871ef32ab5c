import type { AnswerOf, DemoPage, WebApi } from '@origami/protocol/control'
import { useInfiniteQuery } from '@tanstack/react-query'
import { call } from '../../api.ts'

const key = 'GET /-/api/demos/:account/:name/results'
type ResultsPage = AnswerOf<WebApi[typeof key]>

/**
 * The results of this visitor, newest first, one page at a time. They are polled while one has not ended, less often
 * when there are more pages.
 */
export function useResults(page: DemoPage) {
  return useInfiniteQuery({
    queryKey: ['results', page.address],
    queryFn: ({ pageParam }) => call(key, { params: page, query: { before: pageParam } }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: ({ next }) => next,
    gcTime: 0,
    refetchInterval: ({ state: { data } }) => (data?.pages.some(hasRunning) ? 1000 * data.pages.length : false),
  })
}

const hasRunning = ({ predictions }: ResultsPage): boolean =>
  predictions.some(({ completed_at }) => completed_at === null)
