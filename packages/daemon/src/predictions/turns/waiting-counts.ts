import type { DemoId, VisitorId } from '@origami/protocol/demo'

/** Whose prediction it is. `address` is null where the visitor identifies the caller well enough. */
export interface Whose {
  readonly demo: DemoId
  readonly visitor: VisitorId | null
  readonly address: string | null
}

/** Counts predictions: for each demo, and within it for each visitor and each address. */
export class WaitingCounts {
  private readonly demos = new Map<DemoId, DemoCounts>()

  add({ demo, visitor, address }: Whose, count: 1 | -1): void {
    const counts = this.demos.get(demo) ?? { all: 0, visitors: new Map(), addresses: new Map() }
    counts.all += count
    addTo(counts.visitors, visitor ?? '', count)
    if (address) addTo(counts.addresses, address, count)
    if (counts.all === 0) this.demos.delete(demo)
    else this.demos.set(demo, counts)
  }

  /** How many there are of the same demo, of the same visitor there, and from the same address (0 without one). */
  of({ demo, visitor, address }: Whose): { demo: number; visitor: number; address: number } {
    const counts = this.demos.get(demo)
    return {
      demo: counts?.all ?? 0,
      visitor: counts?.visitors.get(visitor ?? '') ?? 0,
      address: (address && counts?.addresses.get(address)) || 0,
    }
  }
}

interface DemoCounts {
  all: number
  readonly visitors: Map<string, number>
  readonly addresses: Map<string, number>
}

function addTo(counts: Map<string, number>, key: string, count: 1 | -1): void {
  const now = (counts.get(key) ?? 0) + count
  if (now === 0) counts.delete(key)
  else counts.set(key, now)
}
