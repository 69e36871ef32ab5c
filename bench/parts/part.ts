import type { Findings } from '../measured.ts'

export interface Part {
  readonly name: string
  readonly about: string
  /** One run: ours and its peers, in turn. */
  measure(options: PartOptions): Promise<Findings>
}

export interface PartOptions {
  /** Smaller loads and shorter times, for `quick`. */
  readonly isQuick: boolean
  /** How long each load is measured. */
  readonly measureMs: number
  readonly warmupMs: number
  readonly say: (line: string) => void
}
