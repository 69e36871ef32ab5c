import ipaddr from 'ipaddr.js'

const mostKnown = 10_000
const known = new Map<string, string>()

/**
 * The part of an address that identifies one caller: the /64 of an IPv6 address, since one customer has that many. IPv4
 * written as IPv6 is treated as IPv4.
 */
export function addressKey(address: string): string {
  const key = known.get(address) ?? keyOf(address)
  if (known.size >= mostKnown) known.clear()
  known.set(address, key)
  return key
}

function keyOf(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  const { parts } = parsed as ipaddr.IPv6
  return `${parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`
}

/** `left`: how often more until the time ends. */
export interface Taken {
  readonly isTaken: boolean
  readonly left: number
  readonly endsInMs: number
}

/**
 * Counts how often something happened from an address within some time of its first time. At most `most()` addresses
 * are counted.
 */
export class CountsByAddress {
  private readonly timeMs: number
  private readonly most: () => number
  private readonly counts = new Map<string, { times: number; readonly since: number }>()

  constructor(timeMs: number, most: () => number) {
    this.timeMs = timeMs
    this.most = most
  }

  /** Counts one more. Not taken: that would be more than `limit`, and is not counted. */
  take(key: string, limit: number): Taken {
    const { timeMs } = this
    const now = Date.now()
    const known = this.counts.get(key)
    if (!known || now - known.since >= timeMs) {
      this.counts.delete(key)
      for (const oldest of this.counts.keys()) {
        if (this.counts.size < this.most()) break
        this.counts.delete(oldest)
      }
      this.counts.set(key, { times: 1, since: now })
      return { isTaken: limit >= 1, left: Math.max(0, limit - 1), endsInMs: timeMs }
    }
    const isTaken = known.times < limit
    if (isTaken) known.times += 1
    return { isTaken, left: Math.max(0, limit - known.times), endsInMs: known.since + timeMs - now }
  }
}
