import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readPrivate } from '@origami/serving'

/** 256 random bits, for links, cookies and tokens. */
export const randomSecret = (): string => randomBytes(32).toString('base64url')

/** How a secret is stored that is only ever compared. */
export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** What the web server alone knows: seals forge tokens, signs what it hands out. */
export class Secrets {
  private readonly root: Buffer

  private constructor(root: Buffer) {
    this.root = root
  }

  /** `secret.key` in the state folder, made at first use. Throws Error when others can read it. */
  static async open(folder: string): Promise<Secrets> {
    const path = join(folder, 'secret.key')
    await writeFile(path, randomBytes(32), { flag: 'wx', mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    return new Secrets(await readPrivate(path))
  }

  /** AES-256-GCM, bound to the account it belongs to. */
  seal(text: string, account: string): Buffer {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', this.key('forge tokens'), nonce).setAAD(Buffer.from(account))
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), body])
  }

  /** Throws when the bytes are not what `seal` made for this account. */
  unseal(sealed: Uint8Array, account: string): string {
    const cipher = createDecipheriv('aes-256-gcm', this.key('forge tokens'), sealed.subarray(0, 12))
    cipher.setAAD(Buffer.from(account)).setAuthTag(sealed.subarray(12, 28))
    return Buffer.concat([cipher.update(sealed.subarray(28)), cipher.final()]).toString('utf8')
  }

  sign(purpose: string, text: string): string {
    return createHmac('sha256', this.key(purpose)).update(text).digest('base64url')
  }

  verify(purpose: string, text: string, signature: string): boolean {
    const [expected, given] = [Buffer.from(this.sign(purpose, text)), Buffer.from(signature)]
    return expected.length === given.length && timingSafeEqual(expected, given)
  }

  private key(purpose: string): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', this.root, '', `origami web: ${purpose}`, 32))
  }
}
