import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from './engine.ts'

/** More than any file has that a person wrote for Origami or Docker to read. */
const bundleFileBytes = 64 * 1024

/** What a name stands for that is no file to read: a link, a socket. */
const notAFile = new Set(['ELOOP', 'ENXIO', 'EISDIR'])

/**
 * Reads a file in the root of a repository that a stranger wrote. No link is followed, nothing but a plain file is
 * read, and no more than `mostBytes`. Undefined: there is none. Throws ConfigError.
 */
export async function readBundleFile(
  folder: string,
  name: string,
  mostBytes: number = bundleFileBytes,
): Promise<string | undefined> {
  const plainFile = new ConfigError(`expected \`${name}\` to be a plain file`)
  let file: FileHandle
  try {
    // A pipe is opened at once with O_NONBLOCK, where it would wait for a writer.
    file = await open(join(folder, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'ENOENT') return undefined
    throw notAFile.has(code) ? plainFile : error
  }
  try {
    const found = await file.stat()
    if (!found.isFile()) throw plainFile
    if (found.size > mostBytes)
      throw new ConfigError(`expected \`${name}\` to be at most ${mostBytes / 1024} KiB, got ${found.size} bytes`)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(mostBytes), 0, mostBytes, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}
