import ipaddr from 'ipaddr.js'

/**
 * The part of an address that identifies one caller: the /64 of an IPv6 address, since one customer has that many. IPv4
 * written as IPv6 is treated as IPv4.
 */
export function addressKey(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  const { parts } = parsed as ipaddr.IPv6
  return `${parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`
}

const hourMs = 3_600_000

/**
 * Counts how often something happened from an address within an hour of its first time. At most `most()` addresses are
 * counted.
 */
export class HourlyCounts {
  private readonly most: () => number
  private readonly counts = new Map<string, { times: number; readonly since: number }>()

  constructor(most: () => number) {
    this.most = most
  }

  /** Counts one more. False: that would be more than `limit`, and is not counted. */
  take(key: string, limit: number): boolean {
    const known = this.counts.get(key)
    if (!known || Date.now() - known.since >= hourMs) {
      this.counts.delete(key)
      for (const oldest of this.counts.keys()) {
        if (this.counts.size < this.most()) break
        this.counts.delete(oldest)
      }
      this.counts.set(key, { times: 1, since: Date.now() })
      return limit >= 1
    }
    if (known.times >= limit) return false
    known.times += 1
    return true
  }
}
