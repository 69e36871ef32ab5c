import { randomSecret, secretHash } from '../secrets.ts'

/**
 * One-time links that sign in the owner. The secret is in the fragment, so that no server and no log on the way sees
 * it. A link works once, while this server runs.
 */
export class OwnerLinks {
  private readonly open = new Set<string>()

  make(publicUrl: string): string {
    const secret = randomSecret()
    this.open.add(secretHash(secret))
    return `${publicUrl}/-/sign-in#${secret}`
  }

  /** False: it is no secret of a link, or was used. */
  use(secret: string): boolean {
    return this.open.delete(secretHash(secret))
  }
}
