import type { Numbered } from '../../src/runtime/pool/event-log.ts'

const progress = (seq: number, done: number): Numbered => ({
  seq,
  type: 'progress',
  data: { done, total: null, note: null },
})
const part = (seq: number, field: string, mode: 'append' | 'replace', chunk: string): Numbered => ({
  seq,
  type: 'output',
  data: { field, mode, chunk, index: seq },
})
const log: Numbered = { seq: 4, type: 'log', data: { source: 'stdout', data: 'x' } }

/** The events of a run, with progress and parts that later ones replaced. */
export const compactable: Numbered[] = [
  progress(1, 1),
  part(2, 'a', 'replace', 'old'),
  part(3, 'a', 'append', 'older'),
  log,
  part(5, 'a', 'replace', 'new'),
  progress(6, 2),
  part(7, 'a', 'append', 'er'),
  part(8, 'b', 'append', 'all of b'),
]

/** The same events without those that were replaced. */
export const replacing: Numbered[] = [
  log,
  part(5, 'a', 'replace', 'new'),
  progress(6, 2),
  part(7, 'a', 'append', 'er'),
  part(8, 'b', 'append', 'all of b'),
]
