import { randomBytes } from 'node:crypto'
import { open, readFile, rename, stat, writeFile } from 'node:fs/promises'

/** Reads a key that only its owner may read. Throws Error when others can read it. */
export async function readPrivate(path: string): Promise<Buffer> {
  const { mode } = await stat(path)
  if (mode & 0o077) throw new Error(`${path} can be read by others (mode ${(mode & 0o777).toString(8)}); chmod 600 it`)
  return readFile(path)
}

/** Replaces a file that only its owner may read. The file is complete or unchanged, even after a power failure. */
export async function writePrivate(path: string, text: string): Promise<void> {
  const fresh = `${path}.${process.pid}.new`
  {
    await using file = await open(fresh, 'w', 0o600)
    await file.chmod(0o600)
    await file.writeFile(text)
    await file.sync()
  }
  await rename(fresh, path)
}

/** 32 random bytes that are made at the first use and then stay the same. Throws Error when others can read them. */
export async function secretKey(path: string): Promise<Buffer> {
  await writeFile(path, randomBytes(32), { flag: 'wx', mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  return readPrivate(path)
}
