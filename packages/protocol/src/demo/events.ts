import type { PredictionSnapshot } from './prediction.ts'

/**
 * An event of a prediction. The names are those of the SSE stream: Cog's, plus `queue` and `progress`. `seq` counts
 * from 1 and is the SSE id. `queue` has none, because places come from the daemon and not from the run.
 */
export type PredictionEvent =
  | { type: 'queue'; data: { position: number; eta: number | null } }
  | { seq: number; type: 'start'; data: { id: string; status: 'processing' } }
  | { seq: number; type: 'progress'; data: { done: number; total: number | null; note: string | null } }
  | { seq: number; type: 'log'; data: { source: 'stdout' | 'stderr'; data: string } }
  | { seq: number; type: 'output'; data: OutputPart }
  | { seq: number; type: 'completed'; data: PredictionSnapshot }

/** A part of an output. `chunk` is appended to the field's text, or replaces the field's value. */
export interface OutputPart {
  field: string
  mode: 'append' | 'replace'
  chunk: unknown
  /** The number of this part among the prediction's parts, from 0. */
  index: number
}

export const eventTypes = ['queue', 'start', 'progress', 'log', 'output', 'completed'] as const

/** Adds a part to the output so far, by field name. */
export function applyPart(fields: Record<string, unknown>, part: OutputPart): Record<string, unknown> {
  const before = fields[part.field]
  const grown = part.mode === 'append' && typeof before === 'string' ? before + String(part.chunk) : part.chunk
  return { ...fields, [part.field]: grown }
}
