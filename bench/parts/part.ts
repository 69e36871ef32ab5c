import type { Findings } from '../measured.ts'
import type { OurWorld } from '../servers/our-world.ts'

export interface Part {
  readonly name: string
  readonly about: string
  /**
   * Starts what all runs share, which is closed after the last of them. Returns what makes one run: ours and its peers,
   * in turn.
   */
  open(options: PartOptions, opened: AsyncDisposableStack): Promise<() => Promise<Findings>>
}

export interface PartOptions {
  /** Smaller loads and shorter times, for `quick`. */
  readonly isQuick: boolean
  /** How long each load is measured. */
  readonly measureMs: number
  readonly warmupMs: number
  readonly say: (line: string) => void
  /**
   * Origami with `probe`, for the part alone. For `quick` it is the same that other parts get, whose demos are idle.
   */
  readonly world: (opened: AsyncDisposableStack) => Promise<OurWorld>
}
