import { createHash, createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto'
import { join } from 'node:path'
import { secretKey } from '@origami/host/private-files'
import { deriveKey, SealedBox } from '@origami/host/sealed-box'

/** 256 random bits, for links, cookies and tokens. */
export const randomSecret = (): string => randomBytes(32).toString('base64url')

/** Compares a secret with what somebody sent, in a time that does not say how much of it is right. */
export function isEqual(secret: string, sent: string): boolean {
  const [expected, actual] = [Buffer.from(secret), Buffer.from(sent)]
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}

/** The form in which a secret is stored that is only compared. */
export const secretHash = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/**
 * The web server's secrets: encrypts forge tokens, each for its account, and signs cookies and keys that it gives out.
 */
export class Secrets {
  readonly forgeTokens: SealedBox
  private readonly root: Buffer
  /** By purpose, of which there are few. */
  private readonly keys = new Map<string, KeyObject>()

  private constructor(root: Buffer) {
    this.root = root
    this.forgeTokens = new SealedBox(root, 'origami web: forge tokens')
  }

  /** `secret.key` in the state folder, made at first use. Throws Error when others can read it. */
  static async open(folder: string): Promise<Secrets> {
    return new Secrets(await secretKey(join(folder, 'secret.key')))
  }

  sign(purpose: string, text: string): string {
    return createHmac('sha256', this.key(purpose)).update(text).digest('base64url')
  }

  verify(purpose: string, text: string, signature: string): boolean {
    return isEqual(this.sign(purpose, text), signature)
  }

  private key(purpose: string): KeyObject {
    const key = this.keys.get(purpose) ?? createSecretKey(deriveKey(this.root, `origami web: ${purpose}`))
    this.keys.set(purpose, key)
    return key
  }
}
