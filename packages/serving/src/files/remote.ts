import { lookup } from 'node:dns/promises'
import { addAbortListener, once } from 'node:events'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import { basename } from 'node:path'
import ipaddr from 'ipaddr.js'

/** A file on another server. */
export interface RemoteFile {
  readonly name: string
  readonly type: string | undefined
  readonly bytes: AsyncIterable<Uint8Array>
}

export interface FetchBounds {
  /** The time until the last byte, however slowly it comes. The default is 5 minutes. */
  readonly deadlineMs?: number
  /** The longest time without a byte of the answer. The default is 30 s. */
  readonly idleMs?: number
  /** Ends the fetch, and the reading of its body. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Fetches an http(s) URL from public addresses only: every address of the name is checked, the connection goes to a
 * checked one, and redirects are not followed. `networks` (CIDR) count as public too. The message of the Error is for
 * the person who gave the URL.
 */
export async function fetchPublic(
  url: URL,
  networks: readonly string[] = [],
  bounds: FetchBounds = {},
): Promise<RemoteFile> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const [address] = await unlessAborted(() => publicAddresses(host, networks), bounds.signal)
  const response = await answerOf(url, address, bounds)
  if (response.statusCode !== 200) {
    response.destroy()
    throw new Error(`${url.host} answered ${response.statusCode}`)
  }
  return { name: fileName(url), type: response.headers['content-type'], bytes: response }
}

/**
 * The answer of the server at a checked address to a GET, with its body unread. It uses Node's own client, because
 * every bundle contains this file, and undici would be half of it.
 */
async function answerOf(url: URL, address: string, bounds: FetchBounds): Promise<IncomingMessage> {
  const { deadlineMs = 5 * 60_000, idleMs = 30_000, signal } = bounds
  const family = isIP(address)
  const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
    agent: false,
    timeout: idleMs,
    lookup: (_host, options, done) => (options.all ? done(null, [{ address, family }]) : done(null, address, family)),
  })
  request.once('timeout', () => request.destroy(new Error(`${url.host} said nothing for ${idleMs / 1000} s`)))
  let response: IncomingMessage | undefined
  const stop = (reason: Error) => (response ?? request).destroy(reason)
  const late = setTimeout(stop, deadlineMs, new Error(`${url.host} took longer than ${deadlineMs / 1000} s`))
  const left = signal && addAbortListener(signal, () => stop(signal.reason as Error))
  request.once('close', () => {
    clearTimeout(late)
    left?.[Symbol.dispose]()
  })
  request.end()
  // A later error ends the body too, and reaches its reader there.
  request.on('error', () => {})
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  response = answer
  return answer
}

/** The addresses of a host by its name. */
export type Lookup = (host: string) => Promise<readonly { readonly address: string }[]>

/**
 * The addresses of a host, if all of them may be reached. `networks` (CIDR) count as public too. Throws Error for
 * people.
 */
export async function publicAddresses(
  host: string,
  networks: readonly string[],
  lookUp: Lookup = (name) => lookup(name, { all: true }),
): Promise<[string, ...string[]]> {
  const found = await lookUp(host).catch((cause: NodeJS.ErrnoException) => {
    // A name that is longer than a name can be is an invalid argument.
    if (cause.code === 'ENOTFOUND' || cause.code === 'EINVAL') return []
    throw new Error(`the address of ${host} cannot be looked up at the moment (${cause.code}): try again`, { cause })
  })
  const [first, ...others] = found.map(({ address }) => address)
  if (first === undefined) throw new Error(`${host} has no address`)
  for (const address of [first, ...others])
    if (!mayReach(ipaddr.process(address), networks)) throw new Error(`${host} is not a public address`)
  return [first, ...others]
}

function mayReach(address: ReturnType<typeof ipaddr.process>, networks: readonly string[]): boolean {
  const allowed = networks
    .map((network) => ipaddr.parseCIDR(network))
    .filter(([base]) => base.kind() === address.kind())
  return isPublic(address) || allowed.some((network) => address.match(...network))
}

/** Of IPv6 only 2000::/3 is assigned to the public internet: what is outside of it may carry an address of IPv4. */
const isPublic = (address: ReturnType<typeof ipaddr.process>): boolean =>
  address.range() === 'unicast' && (address.kind() === 'ipv4' || (address.toByteArray()[0] ?? 0) >> 5 === 1)

/** A lookup cannot be ended, but it is not waited for. */
async function unlessAborted<Result>(work: () => Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (!signal) return work()
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  using _left = addAbortListener(signal, () => reject(signal.reason))
  return await Promise.race([work(), promise])
}

function fileName(url: URL): string {
  try {
    return basename(decodeURIComponent(url.pathname)).slice(0, 100) || 'file'
  } catch {
    // Its name is not encoded correctly, so it gets a plain one.
    return 'file'
  }
}
