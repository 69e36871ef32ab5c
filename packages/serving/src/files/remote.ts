import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { basename } from 'node:path'
import ipaddr from 'ipaddr.js'
import { Agent, request } from 'undici'

/** A file that somebody else's server has. */
export interface RemoteFile {
  readonly name: string
  readonly type: string | undefined
  readonly bytes: AsyncIterable<Uint8Array>
}

const timeoutMs = 30_000

/**
 * Fetches an http(s) URL from public addresses only: every address of the name is checked, the connection goes to a checked one, and redirects are not followed.
 * `networks` (CIDR) are taken for public too. Throws Error with words for the person who gave the URL.
 */
export async function fetchPublic(url: URL, networks: readonly string[] = []): Promise<RemoteFile> {
  const address = await publicAddress(url.hostname.replace(/^\[|\]$/g, ''), networks)
  const family = isIP(address)
  const dispatcher = new Agent({
    connect: {
      timeout: timeoutMs,
      lookup: (_host, options, done) => (options.all ? done(null, [{ address, family }]) : done(null, address, family)),
    },
    bodyTimeout: timeoutMs,
    headersTimeout: timeoutMs,
  })
  const response = await request(url, { dispatcher })
  if (response.statusCode !== 200) {
    await response.body.dump()
    await dispatcher.close()
    throw new Error(`${url.host} answered ${response.statusCode}`)
  }
  const type = response.headers['content-type']
  return { name: fileName(url), type: Array.isArray(type) ? type[0] : type, bytes: closing(response.body, dispatcher) }
}

/** An address of the host, when all it has may be reached. Throws Error. */
async function publicAddress(host: string, networks: readonly string[]): Promise<string> {
  const found = await lookup(host, { all: true }).catch(() => [])
  const [first] = found
  if (!first) throw new Error(`${host} has no address`)
  for (const { address } of found)
    if (!mayReach(ipaddr.process(address), networks)) throw new Error(`${host} is not a public address`)
  return first.address
}

function mayReach(address: ReturnType<typeof ipaddr.process>, networks: readonly string[]): boolean {
  const allowed = networks.map((network) => ipaddr.parseCIDR(network)).filter(([base]) => base.kind() === address.kind())
  return address.range() === 'unicast' || allowed.some((network) => address.match(network as never))
}

async function* closing(body: AsyncIterable<Uint8Array>, dispatcher: Agent): AsyncIterable<Uint8Array> {
  try {
    yield* body
  } finally {
    await dispatcher.destroy()
  }
}

function fileName(url: URL): string {
  try {
    return basename(decodeURIComponent(url.pathname)).slice(0, 100) || 'file'
  } catch {
    return 'file'
  }
}
