import type { PredictionSnapshot } from './prediction.ts'

/** Cog's five words. `starting` is: stored, waiting for its turn. */
export const predictionStatuses = ['starting', 'processing', 'succeeded', 'failed', 'canceled'] as const
export type PredictionStatus = (typeof predictionStatuses)[number]
/** The words of an end. */
export type EndStatus = Exclude<PredictionStatus, 'starting' | 'processing'>
export const isTerminal = (status: PredictionStatus): status is EndStatus =>
  status === 'succeeded' || status === 'failed' || status === 'canceled'

/**
 * What happens to a prediction. The names are those of the SSE stream: Cog's, and `queue` and `progress`.
 * `seq` counts from 1 and is the SSE id; `queue` carries none, since places are the daemon's and not the run's.
 */
export type PredictionEvent =
  | { type: 'queue'; data: { position: number; eta: number | null } }
  | { seq: number; type: 'start'; data: { id: string; status: 'processing' } }
  | { seq: number; type: 'progress'; data: { done: number; total: number | null; note: string | null } }
  | { seq: number; type: 'log'; data: { source: 'stdout' | 'stderr'; data: string } }
  | { seq: number; type: 'output'; data: OutputPart }
  | { seq: number; type: 'completed'; data: PredictionSnapshot }

/** A part of an output. `chunk` is appended to the field's text, or takes the field's place. */
export interface OutputPart {
  field: string
  mode: 'append' | 'replace'
  chunk: unknown
  /** Counts the parts of this prediction from 0. */
  index: number
}

export const eventTypes = ['queue', 'start', 'progress', 'log', 'output', 'completed'] as const

/** Takes a part into the output so far, by field name. */
export function applyPart(fields: Record<string, unknown>, part: OutputPart): Record<string, unknown> {
  const before = fields[part.field]
  const grown = part.mode === 'append' && typeof before === 'string' ? before + String(part.chunk) : part.chunk
  return { ...fields, [part.field]: grown }
}
