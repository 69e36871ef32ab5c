import { join } from 'node:path'
import { execa } from 'execa'

/** What is asked again and again. */
export type Target =
  /** A POST of JSON, whose answer is a 2xx and has some words in it. `headers`: lines that each end with CRLF. */
  | {
      readonly kind: 'json'
      readonly url: string
      readonly body: string
      readonly expects: string
      readonly headers?: string
    }
  /** One text through Gradio's queue. */
  | { readonly kind: 'gradio-queue'; readonly url: string }

export interface Load {
  readonly target: Target
  /** How many predict at the same time, each again when it was answered. */
  readonly clients: number
  /** What is answered before counts for nothing. */
  readonly warmupMs: number
  readonly measureMs: number
  /** Each client predicts so often, instead of for some time. */
  readonly times?: number
}

export interface LoadResult {
  readonly ended: number
  readonly failed: number
  /** All that ended well, in the warm-up and after the time too. */
  readonly all: number
  /** What the first failure said. */
  readonly failure?: string
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly longest: number
}

/** Makes load from a process of its own, so that nothing else is measured with it. */
export async function makeLoad(load: Load): Promise<LoadResult> {
  const { stdout } = await execa(process.execPath, [join(import.meta.dirname, 'main.ts'), JSON.stringify(load)], {
    stderr: 'inherit',
  })
  return JSON.parse(stdout) as LoadResult
}
