import { join } from 'node:path'
import { secretKey } from '@origami/host/private-files'
import { SealedBox } from '@origami/host/sealed-box'

/**
 * Encrypts the forge tokens that the daemon stores. The key is `secret.key` in the folder. Throws Error when others can
 * read it.
 */
export const openVault = async (folder: string): Promise<SealedBox> =>
  new SealedBox(await secretKey(join(folder, 'secret.key')), 'origami tokens')
