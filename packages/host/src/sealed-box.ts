import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const nonceBytes = 12
const tagBytes = 16

/**
 * Encrypts what must not be on disk as plain text, by AES-256-GCM (NIST SP 800-38D). A sealed text is nonce (12 bytes),
 * tag (16) and ciphertext, and is bound to its row.
 */
export class SealedBox {
  private readonly key: Uint8Array

  /**
   * The key is derived from `root` for one purpose (HKDF, RFC 5869). A box cannot open what was sealed for another
   * purpose.
   */
  constructor(root: Uint8Array, purpose: string) {
    this.key = deriveKey(root, purpose)
  }

  seal(text: string, row: string): Buffer {
    const nonce = randomBytes(nonceBytes)
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce).setAAD(Buffer.from(row))
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed])
  }

  /** Throws Error when the bytes are not what `seal` made for this row. */
  unseal(bytes: Uint8Array, row: string): string {
    const [tagAt, textAt] = [nonceBytes, nonceBytes + tagBytes]
    if (bytes.length < textAt) throw new Error(`expected at least ${textAt} sealed bytes, got ${bytes.length}`)
    const decipher = createDecipheriv('aes-256-gcm', this.key, bytes.subarray(0, tagAt), { authTagLength: tagBytes })
      .setAAD(Buffer.from(row))
      .setAuthTag(bytes.subarray(tagAt, textAt))
    return Buffer.concat([decipher.update(bytes.subarray(textAt)), decipher.final()]).toString('utf8')
  }
}

/** 32 bytes for one purpose, by HKDF with SHA-256. */
export const deriveKey = (root: Uint8Array, purpose: string): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', root, '', purpose, 32))
