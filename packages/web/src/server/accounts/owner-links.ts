import { randomSecret, secretHash } from '../secrets.ts'

/**
 * One-time links that sign in the owner: the secret is in the fragment, so no server and no log sees it on the way.
 * Good once, while this server runs.
 */
export class OwnerLinks {
  private readonly open = new Set<string>()

  make(publicUrl: string): string {
    const secret = randomSecret()
    this.open.add(secretHash(secret))
    return `${publicUrl}/-/sign-in#${secret}`
  }

  /** False: it is none, or was used. */
  use(secret: string): boolean {
    return this.open.delete(secretHash(secret))
  }
}
