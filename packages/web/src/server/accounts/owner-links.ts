import { randomSecret, secretHash } from '../secrets.ts'
import { type Db, hasStore, openStore } from '../store/open.ts'
import { addOwnerLink, takeOwnerLink } from '../store/owner-links.ts'

const hourMs = 3_600_000

/**
 * One-time links that sign in the owner. The secret is in the fragment, so that no server and no log on the way sees
 * it. A link works once, and for an hour.
 */
export class OwnerLinks {
  private readonly db: Db
  private readonly clock: () => number
  /** When each of those that this process made expires, by the hash of its secret. */
  private readonly open = new Map<string, number>()

  constructor(db: Db, clock: () => number = Date.now) {
    this.db = db
    this.clock = clock
  }

  /** A link that ends with this server. */
  make(publicUrl: string): string {
    const secret = randomSecret()
    this.open.set(secretHash(secret), this.clock() + hourMs)
    return linkOf(publicUrl, secret)
  }

  /** False: it is no secret of a link, was used, or is too old. */
  async use(secret: string): Promise<boolean> {
    const hash = secretHash(secret)
    const expires = this.open.get(hash)
    this.open.delete(hash)
    if (expires !== undefined) return this.clock() < expires
    return takeOwnerLink(this.db, hash, new Date(this.clock()).toISOString())
  }
}

/** Makes a link on the host of a web server, which may be running. Throws Error when none ever ran with that folder. */
export async function makeOwnerLink(data: string, publicUrl: string): Promise<string> {
  if (!hasStore(data))
    throw new Error(`no web server ever ran with ${data}: start it once, or name its folder with --data`)
  const db = await openStore(data)
  try {
    const [secret, now] = [randomSecret(), Date.now()]
    const expires = new Date(now + hourMs).toISOString()
    await addOwnerLink(db, secretHash(secret), expires, new Date(now).toISOString())
    return linkOf(publicUrl, secret)
  } finally {
    await db.destroy()
  }
}

const linkOf = (publicUrl: string, secret: string): string => `${publicUrl}/-/sign-in#${secret}`
