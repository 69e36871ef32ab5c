import type { DemoSchema, Input } from '@origami/protocol/demo'
import { type RefObject, useCallback, useEffect, useRef, useState } from 'react'

export interface FormInput {
  readonly input: Input
  /** The same at once, also before what was changed is drawn. */
  readonly latest: RefObject<Input>
  change(next: (before: Input) => Input): void
}

/** What stands in the form of the demo at `base`. It outlives a reload of the page. */
export function useFormInput(schema: DemoSchema, base: string): FormInput {
  const storageKey = `origami:${base}`
  const [input, setInput] = useState<Input>(() => startingInput(schema, storageKey))
  const latest = useRef(input)
  const change = useCallback((next: (before: Input) => Input) => {
    latest.current = next(latest.current)
    setInput(latest.current)
  }, [])
  useEffect(() => store(storageKey, input), [storageKey, input])
  return { input, latest, change }
}

/** Each field as it is before anybody writes in it. */
export const emptyInput = (schema: DemoSchema): Input =>
  Object.fromEntries(schema.inputs.map((field) => [field.name, field.default ?? null]))

/** For a reload. A browser that has no room, or forbids it, loses only that. */
function store(storageKey: string, input: Input): void {
  try {
    sessionStorage.setItem(storageKey, JSON.stringify(input))
  } catch {
    // The page works on without.
  }
}

/** What was typed before a reload, as far as the demo still takes it. */
function startingInput(schema: DemoSchema, storageKey: string): Input {
  const empty = emptyInput(schema)
  try {
    const before: unknown = JSON.parse(sessionStorage.getItem(storageKey) ?? '{}')
    return { ...empty, ...Object.fromEntries(Object.entries(before ?? {}).filter(([name]) => name in empty)) }
  } catch {
    // What cannot be read, or is forbidden to be, is as if nothing had been typed.
    return empty
  }
}
