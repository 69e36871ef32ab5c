import { createHash, type Hash } from 'node:crypto'
import { link, mkdir, opendir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { unlessAbsent } from '@origami/host/absent-files'
import type { Slices } from '@origami/host/slices'

/** The file system has no hard links, or this content has as many as it may. */
const unlinkable = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'EXDEV'])

/**
 * Contents that files share: one entry for each, called by its SHA-256, and each file with this content is a hard link
 * to it. The file system counts who has a content, so neither a crash nor an upload at the same time can take it from
 * a file: at worst the same content is stored twice. Nobody may write to a file that shares its content.
 */
export class SharedContents {
  private readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  hash(): Hash {
    return createHash('sha256')
  }

  /** Makes the file at `path`, whose content has this hash, share it with all others. */
  async share(path: string, hash: string): Promise<void> {
    const content = join(this.folder, hash)
    const shared = `${path}.shared`
    try {
      if (await linked(content, shared)) return await rename(shared, path)
      await mkdir(this.folder, { recursive: true })
      // When another upload was faster, this file keeps its own copy.
      await link(path, content).catch(unlessCode('EEXIST'))
    } catch (error) {
      if (!unlinkable.has(codeOf(error))) throw error
    }
  }

  /** Removes a content that no file has any more. False: a file has it. */
  async forget(hash: string): Promise<boolean> {
    const content = join(this.folder, hash)
    const found = await stat(content).catch(unlessAbsent(undefined))
    if (found?.nlink !== 1) return false
    // A file that has come to share it since keeps it by its own link.
    await rm(content, { force: true })
    return true
  }

  /** Removes, in slices, what a crash left without a file. */
  async sweep(slices: Slices, signal: AbortSignal | undefined): Promise<void> {
    await using folder = await opendir(this.folder).catch(unlessAbsent(undefined))
    if (!folder) return
    await slices.run('contents', signal, async (most) => {
      for (let looked = 0; looked < most; looked += 1) {
        const entry = await folder.read()
        if (!entry) return looked
        await this.forget(entry.name)
      }
      return most
    })
  }
}

/** Links an existing file. False: there is none. */
async function linked(existing: string, path: string): Promise<boolean> {
  try {
    await link(existing, path)
    return true
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    return false
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? ''

const unlessCode = (code: string) => (error: unknown) => {
  if (codeOf(error) !== code) throw error
}
