import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readPrivate } from '@origami/serving'

/** Encrypts what must not be on disk in the clear: AES-256-GCM, bound to the row it belongs to. */
export class Vault {
  private readonly key: Uint8Array

  private constructor(key: Uint8Array) {
    this.key = key
  }

  /** The key is `secret.key` in the folder, made at first use. Throws Error when others can read it. */
  static async open(folder: string): Promise<Vault> {
    const path = join(folder, 'secret.key')
    await writeFile(path, randomBytes(32), { flag: 'wx', mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    return new Vault(new Uint8Array(hkdfSync('sha256', await readPrivate(path), '', 'origami tokens', 32)))
  }

  seal(text: string, row: string): Buffer {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce).setAAD(Buffer.from(row))
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed])
  }

  /** Throws when the bytes are not what `seal` made for this row. */
  unseal(bytes: Uint8Array, row: string): string {
    const decipher = createDecipheriv('aes-256-gcm', this.key, bytes.subarray(0, 12))
      .setAAD(Buffer.from(row))
      .setAuthTag(bytes.subarray(12, 28))
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')
  }
}
