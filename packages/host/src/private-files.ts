import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes a folder that only its owner may read, and the folders above it; one that exists stays as it is. Node's own
 * recursive `mkdir` never ends where nothing can be made, as in `/proc`. Throws Error that names the folder.
 */
export async function makePrivateFolder(path: string): Promise<void> {
  const made = await makeOne(path)
  if (made === 'no parent') {
    await makePrivateFolder(dirname(path))
    if ((await makeOne(path)) === 'no parent') throw new Error(`cannot make ${path}: no folder can be made there`)
  }
}

async function makeOne(path: string): Promise<'there' | 'no parent'> {
  try {
    await mkdir(path, { mode: 0o700 })
    return 'there'
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && dirname(path) !== path) return 'no parent'
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return 'there'
    throw error
  }
}

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
