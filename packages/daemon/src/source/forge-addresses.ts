import { isIP } from 'node:net'
import type { ForgeEntry } from '@origami/protocol/control'
import { type Lookup, publicAddresses } from '@origami/serving'
import type { Environment } from '../config.ts'
import { SourceError } from './source.ts'

/**
 * Where git connects to for a forge, as `http.curloptResolve` takes it, so that git does not look the name up again and
 * find another address. All addresses are public, or in the networks that the forge's entry names. Undefined: there is
 * nothing to look up, since the operator wrote a folder or an address, or a proxy looks it up. Throws SourceError.
 */
export async function pinnedAddresses(
  forge: ForgeEntry,
  environment: Environment,
  lookUp?: Lookup,
): Promise<string | undefined> {
  const { protocol, hostname, port } = new URL(forge.git)
  const host = hostname.replace(/^\[|\]$/g, '')
  const isProxied = protocol === 'https:' && Boolean(environment.HTTPS_PROXY)
  if (protocol === 'file:' || isIP(host) !== 0 || isProxied) return undefined
  let addresses: readonly string[]
  try {
    addresses = await publicAddresses(host, forge.networks ?? [], lookUp)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new SourceError(`${message}; what an operator trusts more stands in \`networks\` of the table of forges`, {
      cause,
    })
  }
  const defaultPort = protocol === 'https:' ? '443' : '80'
  const written = addresses.map((address) => (isIP(address) === 6 ? `[${address}]` : address))
  return `${host}:${port || defaultPort}:${written.join(',')}`
}
