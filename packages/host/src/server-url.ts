import { isIPv6 } from 'node:net'

/** The URL of a listening server. An IPv6 address is put in brackets (RFC 3986, 3.2.2). */
export const serverUrl = (scheme: 'http' | 'https', host: string, port: number): string =>
  `${scheme}://${isIPv6(host) ? `[${host}]` : host}:${port}`
