import { isIPv6 } from 'node:net'

/** The address of a server that listens: an address of IPv6 stands in brackets (RFC 3986, 3.2.2). */
export const serverUrl = (scheme: 'http' | 'https', host: string, port: number): string =>
  `${scheme}://${isIPv6(host) ? `[${host}]` : host}:${port}`
