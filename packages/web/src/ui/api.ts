import { type Client, endpointClient, Refusal } from '@origami/protocol/client'
import type { PredictionApi, WebApi } from '@origami/protocol/control'
import { useQuery, useQueryClient } from '@tanstack/react-query'

const web: Client<WebApi> = endpointClient(async ({ path, ...request }) => {
  if (request.method === 'GET') return fetch(path, request)
  const { csrf } = await web.call('GET /-/api/session', {})
  return fetch(path, { ...request, headers: { ...request.headers, 'x-csrf-token': csrf } })
})

/**
 * The web server's API by its table: `call` parses JSON, `send` returns a Response. Changes carry the session's CSRF
 * token.
 */
export const { call, send } = web

/** The API of a demo at its address. */
export const demoApi = (address: string): Client<PredictionApi> =>
  endpointClient(({ path, ...request }) => fetch(address + path, request))

/** The error for people: the server's Refusal, or that the server did not answer. */
export const errorOf = (cause: unknown): Error =>
  cause instanceof Refusal ? cause : new Error('The server did not answer.', { cause })

/** Whether the server said that it does not exist. */
export const isMissing = (error: unknown): boolean => error instanceof Refusal && error.status === 404

export const useSession = () =>
  useQuery({
    queryKey: ['session'],
    queryFn: () => call('GET /-/api/session', {}),
    refetchInterval: ({ state }) => (state.error || state.data?.daemon === false ? 3000 : 60_000),
  })

export function useForgetSession(): () => Promise<void> {
  const queries = useQueryClient()
  return () => queries.invalidateQueries()
}
