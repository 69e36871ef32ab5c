import type { DemoId, VisitorId } from '@origami/protocol/demo'

/** Whose prediction it is. `address` is null where the visitor identifies the caller well enough. */
export interface Whose {
  readonly demo: DemoId
  readonly visitor: VisitorId | null
  readonly address: string | null
}

/** Counts predictions: for each demo, and within it for each visitor and each address. */
export class WaitingCounts {
  private readonly counts = new Map<string, number>()

  add(whose: Whose, count: 1 | -1): void {
    for (const key of keysOf(whose)) {
      const now = (this.counts.get(key) ?? 0) + count
      if (now === 0) this.counts.delete(key)
      else this.counts.set(key, now)
    }
  }

  /** How many there are of the same demo, of the same visitor there, and from the same address (0 without one). */
  of(whose: Whose): { demo: number; visitor: number; address: number } {
    const [demo = 0, visitor = 0, address = 0] = keysOf(whose).map((key) => this.counts.get(key) ?? 0)
    return { demo, visitor, address }
  }
}

const keysOf = ({ demo, visitor, address }: Whose): string[] => [
  demo,
  `${demo} visitor ${visitor ?? ''}`,
  ...(address ? [`${demo} address ${address}`] : []),
]
