import type { DemoCard } from '@origami/protocol/control'
import { useQuery } from '@tanstack/react-query'
import { call, demoApi } from '../../api.ts'
import type { Schema } from './api-document.ts'
import { type ExampleDemo, sampleInput } from './curl.ts'

const invented: ExampleDemo = { account: 'ann', name: 'digits', public: true, input: {} }

/** A demo of one's own, else a public one, so that examples run as printed; where there is none, one that could be. */
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

/** Nobody's for who is not signed in. */
const list = (key: 'GET /-/api/mine' | 'GET /-/api/demos'): Promise<DemoCard[]> =>
  call(key, {}).then(
    ({ demos }) => demos,
    () => [],
  )

/** What is read here of a demo's own document. */
interface DemoDocument {
  readonly components: { readonly schemas: { readonly Input: Schema } }
}

/** Of a demo that does not serve, nothing is known. */
const inputOf = (address: string): Promise<Record<string, unknown>> =>
  demoApi(address)
    .call('GET /openapi.json', {})
    .then(
      (document: unknown) => sampleInput((document as DemoDocument).components.schemas.Input),
      () => ({}),
    )
