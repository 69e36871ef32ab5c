import { BlockList, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * The proxies that are trusted to name the origin of a request (X-Forwarded-*). They may change while the server runs.
 */
export class TrustedProxies {
  private list = new BlockList()
  private isEmpty = true
  private hops = 1

  /** Addresses and networks (CIDR). When empty, no proxy is trusted. `hops`: how many a request may come through. */
  constructor(proxies: readonly string[], hops = 1) {
    this.replace(proxies, hops)
  }

  replace(proxies: readonly string[], hops = 1): void {
    const list = new BlockList()
    for (const proxy of proxies) {
      const [address = '', bits] = proxy.split('/')
      const family = isIPv6(address) ? 'ipv6' : 'ipv4'
      if (bits === undefined) list.addAddress(address, family)
      else list.addSubnet(address, Number(bits), family)
    }
    this.list = list
    this.hops = hops
    this.isEmpty = proxies.length === 0
  }

  /**
   * Whether to believe what this address says about the one before it. `hop` counts from the connection on: beyond the
   * number of proxies that there are, a visitor who has an address of the list could name any other as theirs.
   */
  believes(address: string | undefined, hop: number): boolean {
    return hop < this.hops && this.has(address)
  }

  /** IPv4 written as IPv6 is treated as IPv4. False for a text that is no address. */
  has(address: string | undefined): boolean {
    if (this.isEmpty || address === undefined || !ipaddr.isValid(address)) return false
    const parsed = ipaddr.process(address)
    return this.list.check(parsed.toString(), parsed.kind())
  }
}
