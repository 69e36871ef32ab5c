import type { DemoSchema, Input } from '@origami/protocol/demo'

/** What the runtime says to a worker. End of stream: the worker exits. */
export type ToWorker = { type: 'predict'; id: string; input: Input; outbox: string } | { type: 'cancel'; id: string }

/** What a worker says, in Node or Python. Files are paths. */
export type FromWorker =
  | { type: 'schema'; schema: DemoSchema }
  | { type: 'ready' }
  | { type: 'setup_failed'; error: string; traceback: string }
  | CallMessage

/** Of the prediction that it holds. */
export type CallMessage =
  | { type: 'progress'; id: string; done: number; total: number | null; note: string | null }
  | { type: 'output'; id: string; field: string; mode: 'append' | 'replace'; chunk: unknown }
  | { type: 'done'; id: string; output: Record<string, unknown> }
  | { type: 'failed'; id: string; error: string; traceback: string }
  | { type: 'canceled'; id: string }

/** A file as it crosses: an input's, or an output's (whose name and type may be left out). */
export interface FileOnWire {
  path: string
  name?: string
  type?: string
}

/** The line written to both terminals when all of `id` was printed. Setup's id is `setup`. */
export const endMark = (id: string): string => `\u001e${id}\n`
