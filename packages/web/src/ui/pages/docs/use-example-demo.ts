import type { DemoCard } from '@origami/protocol/control'
import { useQuery } from '@tanstack/react-query'
import { get } from '../../api.ts'
import type { Schema } from './api-document.ts'
import { type ExampleDemo, sampleInput } from './curl.ts'

const invented: ExampleDemo = { account: 'ann', name: 'digits', public: true, input: {} }

/** A demo of one's own, else a public one, so that examples run as printed; where there is none, one that could be. */
export function useExampleDemo(): ExampleDemo {
  return useQuery({ queryKey: ['example demo'], queryFn: find }).data ?? invented
}

async function find(): Promise<ExampleDemo> {
  const own = await list('/-/api/mine')
  const card = own[0] ?? (await list('/-/api/demos'))[0]
  if (!card) return invented
  const { account, name } = card
  return { account, name, public: card.public, input: await inputOf(card.address) }
}

/** Nobody's for who is not signed in. */
const list = (path: string): Promise<DemoCard[]> =>
  get<{ demos: DemoCard[] }>(path).then(
    ({ demos }) => demos,
    () => [],
  )

/** Of a demo that does not serve, nothing is known. */
const inputOf = (address: string): Promise<Record<string, unknown>> =>
  get<{ components: { schemas: { Input: Schema } } }>(`${address}/openapi.json`).then(
    ({ components }) => sampleInput(components.schemas.Input),
    () => ({}),
  )
