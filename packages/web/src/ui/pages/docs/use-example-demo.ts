import type { DemoCard } from '@origami/protocol/control'
import { useQuery } from '@tanstack/react-query'
import { call, demoApi } from '../../api.ts'
import type { Schema } from './api-document.ts'
import { type ExampleDemo, sampleInput } from './curl.ts'

const invented: ExampleDemo = { account: 'ann', name: 'digits', public: true, input: {} }

/** A demo of the caller, or else a public one, so that examples run as printed. If there is none, an invented one. */
export function useExampleDemo(): ExampleDemo {
  return useQuery({ queryKey: ['example demo'], queryFn: find }).data ?? invented
}

async function find(): Promise<ExampleDemo> {
  const own = await list('GET /-/api/mine')
  const card = own[0] ?? (await list('GET /-/api/demos'))[0]
  if (!card) return invented
  const { account, name } = card
  return { account, name, public: card.public, input: await inputOf(card.address) }
}

/** Callers who are not signed in have no demos of their own. */
const list = (key: 'GET /-/api/mine' | 'GET /-/api/demos'): Promise<DemoCard[]> =>
  call(key, {}).then(
    ({ demos }) => demos,
    () => [],
  )

/** The part of a demo's own document that is used here. */
interface DemoDocument {
  readonly components: { readonly schemas: { readonly Input: Schema } }
}

/** Nothing is known about a demo that does not serve. */
const inputOf = (address: string): Promise<Record<string, unknown>> =>
  demoApi(address)
    .call('GET /openapi.json', {})
    .then(
      (document: unknown) => sampleInput((document as DemoDocument).components.schemas.Input),
      () => ({}),
    )
