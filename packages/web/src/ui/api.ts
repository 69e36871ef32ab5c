import type { DemoCard, Session } from '@origami/protocol/control'
import { useQuery, useQueryClient } from '@tanstack/react-query'

/** The server said no: its words, its status, and where to ask a forge first. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly authorize: string | undefined
  constructor(status: number, message: string, authorize?: string) {
    super(message)
    this.status = status
    this.authorize = authorize
  }
}

export async function get<Answer>(path: string): Promise<Answer> {
  return read(await fetch(path, { headers: { accept: 'application/json' } }))
}

/** A change, with the session's CSRF token. */
export async function change<Answer>(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Answer> {
  const { csrf } = await get<Session>('/-/api/session')
  const headers = {
    accept: 'application/json',
    'x-csrf-token': csrf,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  }
  return read(await fetch(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }))
}

async function read<Answer>(response: Response): Promise<Answer> {
  if (!response.ok) throw await problemOf(response)
  return (await response.json().catch(() => ({}))) as Answer
}

/** What an answer that is no success says. */
export async function problemOf(response: Response): Promise<ApiError> {
  const { error, authorize } = (await response.json().catch(() => ({}))) as { error?: string; authorize?: string }
  return new ApiError(response.status, error ?? `The server answered ${response.status}.`, authorize)
}

export const useSession = () =>
  useQuery({
    queryKey: ['session'],
    queryFn: () => get<Session>('/-/api/session'),
    refetchInterval: ({ state }) => (state.error || state.data?.daemon === false ? 3000 : 60_000),
  })

export function useForgetSession(): () => Promise<void> {
  const queries = useQueryClient()
  return () => queries.invalidateQueries()
}

/** A list of demos at an address of the API. */
export const useDemos = (path: string) => useQuery({ queryKey: ['demos', path], queryFn: () => get<{ demos: DemoCard[] }>(path) })
