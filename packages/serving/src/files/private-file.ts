import { readFile, stat } from 'node:fs/promises'

/** Reads a key that its owner alone may read. Throws Error when others can. */
export async function readPrivate(path: string): Promise<Buffer> {
  const { mode } = await stat(path)
  if (mode & 0o077) throw new Error(`${path} can be read by others (mode ${(mode & 0o777).toString(8)}); chmod 600 it`)
  return readFile(path)
}
