import { mkdir, readFile, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { writePrivate } from '@origami/host/private-files'
import { env } from './env.ts'
import { Failure } from './failure.ts'

/** The servers where `origami login` signed in, by their address. `latest` is the one that verbs call. */
export interface SignedIn {
  readonly latest?: string
  readonly servers: Readonly<Record<string, { readonly token: string; readonly handle?: string }>>
}

const folder = () => join(env.home ?? homedir(), '.origami')

/** Reads what `login` stored. Throws Failure when others can read it, or when its content is not valid. */
export async function readSignedIn(): Promise<SignedIn> {
  const text = await readOwnerOnly(join(folder(), 'servers.json'))
  if (text === undefined) return { servers: {} }
  try {
    const { latest, servers } = JSON.parse(text) as SignedIn
    const right = Object.values(servers).every(({ token }) => typeof token === 'string')
    if (right) return { servers, ...(typeof latest === 'string' ? { latest } : {}) }
  } catch {
    // Whatever is wrong with it, the advice below is the same.
  }
  throw new Failure(
    `${join(folder(), 'servers.json')} is broken; remove it, then origami login <server> writes it anew`,
  )
}

/** Stores the token of a server, readable only by its owner. The file is replaced in one step. */
export async function keepSignedIn(url: string, token: string, handle?: string): Promise<void> {
  const before = await readSignedIn().catch((error: unknown) => {
    console.error(`${error instanceof Error ? error.message : error}: it is written anew, with this server alone`)
    return { servers: {} }
  })
  const updated: SignedIn = {
    latest: url,
    servers: { ...before.servers, [url]: { token, ...(handle ? { handle } : {}) } },
  }
  await mkdir(folder(), { recursive: true, mode: 0o700 })
  await writePrivate(join(folder(), 'servers.json'), `${JSON.stringify(updated, null, 2)}\n`)
}

/** The token that a person put into `~/.origami/token` by hand. */
export async function tokenByHand(): Promise<string | undefined> {
  return (await readOwnerOnly(join(folder(), 'token')))?.trim()
}

async function readOwnerOnly(file: string): Promise<string | undefined> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new Failure(`cannot read ${file}: ${error.message}`)
  })
  if (!found) return undefined
  if (!found.isFile()) throw new Failure(`expected ${file} to be a file, got something else; move it away`)
  if (found.mode & 0o077) throw new Failure(`${file} can be read by others; chmod 600 it`)
  return readFile(file, 'utf8')
}
