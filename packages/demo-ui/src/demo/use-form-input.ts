import type { DemoSchema, Input } from '@origami/protocol/demo'
import { type RefObject, useCallback, useEffect, useRef, useState } from 'react'

export interface FormInput {
  readonly input: Input
  /** The same value, but up to date at once, before a change is drawn. */
  readonly latest: RefObject<Input>
  change(next: (before: Input) => Input): void
}

/** The content of the form of the demo at `base`. It survives a reload of the page. */
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

/** The initial value of each field. */
export const emptyInput = (schema: DemoSchema): Input =>
  Object.fromEntries(schema.inputs.map((field) => [field.name, field.default ?? null]))

/** Stores it for a reload. When a browser has no room or forbids it, only this is lost. */
function store(storageKey: string, input: Input): void {
  try {
    sessionStorage.setItem(storageKey, JSON.stringify(input))
  } catch {
    // The page works without it.
  }
}

/** What was typed before a reload, for the fields that the demo still has. */
function startingInput(schema: DemoSchema, storageKey: string): Input {
  const empty = emptyInput(schema)
  try {
    const before: unknown = JSON.parse(sessionStorage.getItem(storageKey) ?? '{}')
    return { ...empty, ...Object.fromEntries(Object.entries(before ?? {}).filter(([name]) => name in empty)) }
  } catch {
    // What cannot be read counts as if nothing had been typed.
    return empty
  }
}
