import type { Hash } from 'node:crypto'
import { constants, createReadStream, createWriteStream } from 'node:fs'
import { copyFile, link, mkdir, open, opendir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { unlessAbsent } from '@origami/host/absent-files'
import { Slices } from '@origami/host/slices'
import { type FileRef, fileRef, Invalid, parseFileRef } from '@origami/protocol/demo'
import { fileTypeFromBuffer } from 'file-type'
import { z } from 'zod'
import type { Files, OpenFile } from '../predictor.ts'
import { SharedContents } from './shared-contents.ts'

/** The bytes of one read or write: so many that its own cost is little beside theirs. */
const diskBytes = 1024 ** 2

const aboutSchema = z.object({
  name: z.string(),
  type: z.string(),
  sha256: z.string().optional(),
  /** Those who have it. Everybody has a file that was stored without them. */
  owners: z.array(z.string()).optional(),
})
type About = z.infer<typeof aboutSchema>

/**
 * The content of `about.json` in the folder of a file. Undefined: there is none. Throws when it is not what `put`
 * writes, or cannot be read.
 */
export async function readAbout(folder: string): Promise<About | undefined> {
  const text = await readFile(join(folder, 'about.json'), 'utf8').catch(unlessAbsent(undefined))
  // An empty record is one of a file that never arrived completely.
  return text === undefined || text === '' ? undefined : aboutSchema.parse(JSON.parse(text))
}

/** The folder of shared contents among those of files. No id is called so. */
const contentsName = '.contents'

interface NewFile {
  readonly id: string
  readonly name: string
  /** As its sender says. */
  readonly type: string | undefined
  readonly owner?: string
}

/** Which ids are still needed. */
interface Wanted {
  has(id: string): boolean | Promise<boolean>
}

export interface FolderFilesOptions {
  /** Called for each file. */
  maxFileBytes(): number
  /** Whether files of the same content are stored once. Then nobody may write to a file in the folder. */
  readonly sharesContents?: boolean
}

export interface Sweeping {
  readonly slices?: Slices
  readonly signal?: AbortSignal | undefined
}

/**
 * Files in a folder: `<id>/about.json`, and the bytes in `<id>/file/`. Their name there has no character with a meaning
 * in paths, but keeps its extension, which models may need.
 */
export class FolderFiles implements Files {
  private readonly folder: string
  private readonly maxFileBytes: () => number
  private readonly contents: SharedContents | undefined

  constructor(folder: string, { maxFileBytes, sharesContents = false }: FolderFilesOptions) {
    this.folder = folder
    this.maxFileBytes = maxFileBytes
    this.contents = sharesContents ? new SharedContents(join(folder, contentsName)) : undefined
  }

  /** The files that one owner has, such as a demo. To it there are no others. */
  of(owner: string): Files {
    return {
      put: (id, name, type, bytes) => this.store({ id, name, type, owner }, bytes),
      open: (ref) => this.find(ref, owner),
    }
  }

  /** Stores a file. Throws Invalid when it is too large, or when the id has another file. */
  async put(id: string, name: string, type: string | undefined, bytes: AsyncIterable<Uint8Array>): Promise<FileRef> {
    return this.store({ id, name, type }, bytes)
  }

  async open(ref: FileRef): Promise<OpenFile | undefined> {
    return this.find(ref)
  }

  private async store({ id, name, type, owner }: NewFile, bytes: AsyncIterable<Uint8Array>): Promise<FileRef> {
    const ref = fileRef(id, name)
    if (await this.find(ref, owner)) return ref
    const made = await this.arrive(id, name, async (content) => {
      const hash = this.contents?.hash()
      await pipeline(this.limited(bytes, hash), createWriteStream(content, { highWaterMark: diskBytes }))
      const sha256 = hash?.digest('hex')
      const found = await fileTypeFromBuffer(await firstBytes(content))
      if (sha256) await this.contents?.share(content, sha256)
      return { name, type: found?.mime ?? plainType(type), sha256, ...(owner ? { owners: [owner] } : {}) }
    })
    if (owner) await this.share(id, made, owner)
    if (!(await this.find(ref, owner))) throw otherFile(id)
    return ref
  }

  /** Lets another owner have a file whose bytes it has sent as well. */
  private async share(id: string, sent: About, owner: string): Promise<void> {
    const folder = join(this.folder, id)
    const about = await readAbout(folder)
    if (!about?.owners || about.owners.includes(owner)) return
    if (about.name !== sent.name || about.sha256 === undefined || about.sha256 !== sent.sha256) return
    const changed = join(folder, `.about-${crypto.randomUUID()}`)
    await writeFile(changed, JSON.stringify({ ...about, owners: [...about.owners, owner] }))
    await rename(changed, join(folder, 'about.json'))
  }

  private async find(ref: FileRef, owner?: string): Promise<OpenFile | undefined> {
    const path = this.path(ref)
    const about = path && (await readAbout(join(path, '../..')))
    if (!path || !about) return undefined
    const { name, type, owners } = about
    if (owner !== undefined && owners && !owners.includes(owner)) return undefined
    if (name !== parseFileRef(ref)?.name) return undefined
    const found = await stat(path).catch(unlessAbsent(undefined))
    if (!found) return undefined
    const { size } = found
    return {
      name,
      type,
      size,
      path,
      bytes: (start = 0, end = size) =>
        end <= start ? Readable.from([]) : createReadStream(path, { start, end: end - 1, highWaterMark: diskBytes }),
    }
  }

  /** The path of a file's bytes, for readers on this machine. Undefined when `ref` is no reference. */
  path(ref: string): string | undefined {
    const parts = parseFileRef(ref)
    return parts && join(this.folder, parts.id, 'file', plainName(parts.name))
  }

  /**
   * Puts a file into another folder on this host, under another id. `link`: it is the same bytes, so nobody may write
   * to the other folder. `copy`: it is other bytes, which the file system may share until somebody writes to them.
   * Undefined: there is no such file.
   */
  async giveTo(other: FolderFiles, ref: FileRef, id: string, how: 'link' | 'copy'): Promise<FileRef | undefined> {
    const [file, path] = [await this.open(ref), this.path(ref)]
    if (!file || !path) return undefined
    const { name, type } = file
    const given = fileRef(id, name)
    if (await other.open(given)) return given
    await other.arrive(id, name, async (content) => {
      // A file that cannot have one more link, or whose folder is on another file system, is copied.
      await (how === 'copy' ? copy(path, content) : link(path, content).catch(() => copy(path, content)))
      return { name, type }
    })
    return given
  }

  /** Removes a file. False: there was none. */
  async forget(ref: FileRef): Promise<boolean> {
    const path = this.path(ref)
    if (!path || !(await stat(path).catch(unlessAbsent(undefined)))) return false
    await this.remove(join(path, '../..'))
    return true
  }

  /**
   * Removes files that arrived before `before`, except the wanted ones, in slices, until the signal aborts. Returns how
   * many. A file that cannot be removed does not keep the others: the errors are thrown at the end.
   */
  async sweep(
    before: Date,
    wanted: Wanted = new Set(),
    { slices = new Slices(), signal }: Sweeping = {},
  ): Promise<number> {
    await using folder = await opendir(this.folder).catch(unlessAbsent(undefined))
    if (!folder) return 0
    let swept = 0
    const failures: unknown[] = []
    await slices.run('files', signal, async (most) => {
      for (let looked = 0; looked < most; looked += 1) {
        const entry = await folder.read()
        if (!entry) return looked
        try {
          if (await this.sweepOne(entry.name, before, wanted)) swept += 1
        } catch (error) {
          failures.push(error)
        }
      }
      return most
    })
    await this.contents?.sweep(slices, signal)
    if (failures.length > 0) throw new AggregateError(failures, `${failures.length} files could not be removed`)
    return swept
  }

  /** Makes the folder of a file aside, and puts it in its place once `make` has put its bytes at the path it gets. */
  private async arrive(id: string, name: string, make: (content: string) => Promise<About>): Promise<About> {
    const arriving = join(this.folder, `.arriving-${id}-${crypto.randomUUID()}`)
    await mkdir(join(arriving, 'file'), { recursive: true })
    try {
      const about = await make(join(arriving, 'file', plainName(name)))
      await writeFile(join(arriving, 'about.json'), JSON.stringify(about))
      await rename(arriving, join(this.folder, id)).catch(keepFirst)
      return about
    } finally {
      await rm(arriving, { recursive: true, force: true })
    }
  }

  private async sweepOne(id: string, before: Date, wanted: Wanted): Promise<boolean> {
    if (id === contentsName) return false
    const path = join(this.folder, id)
    const found = await stat(path).catch(unlessAbsent(undefined))
    if (!found || found.mtime >= before || (await wanted.has(id))) return false
    await this.remove(path)
    return true
  }

  /** Removes the folder of a file, and its content unless another file shares it. */
  private async remove(path: string): Promise<void> {
    // What is no file of ours has no content to look after, and is removed all the same.
    const about = this.contents && (await readAbout(path).catch(() => undefined))
    await rm(path, { recursive: true, force: true })
    if (about?.sha256) await this.contents?.forget(about.sha256)
  }

  private async *limited(bytes: AsyncIterable<Uint8Array>, hash: Hash | undefined): AsyncIterable<Uint8Array> {
    const limit = this.maxFileBytes()
    let total = 0
    for await (const part of bytes) {
      total += part.length
      if (total > limit) throw fileTooLarge(limit)
      hash?.update(part)
      yield part
    }
  }
}

const copy = (from: string, to: string): Promise<void> => copyFile(from, to, constants.COPYFILE_FICLONE)

/** The error for a file above the limit. Answered with HTTP 413. */
export const fileTooLarge = (limit: number, came?: number): Invalid =>
  new Invalid([
    { type: 'value_error.too_large', message: `expected a file of at most ${limit} bytes, got ${came ?? 'more'}` },
  ])

const otherFile = (id: string): Invalid =>
  new Invalid([
    { type: 'value_error', message: `expected an id that no file has yet, got ${id}, which has another file` },
  ])

/** Keeps letters, digits and a few marks. The result is no hidden file, and not longer than a file system allows. */
const plainName = (name: string): string =>
  name
    .replaceAll(/[^A-Za-z0-9._ -]/g, '_')
    .replace(/^[. -]+/, '_')
    .slice(-100) || '_'

/** When two callers send the same id, the first file stays. */
function keepFirst(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
}

/** The sender's type is only used when the bytes do not show one, and never when it is a page. */
function plainType(type: string | undefined): string {
  const media = type?.split(';')[0]?.trim().toLowerCase() ?? ''
  return /^(text\/(plain|csv|markdown)|application\/(json|pdf))$/.test(media) ? media : 'application/octet-stream'
}

/** As many bytes as are needed to detect the type. */
async function firstBytes(path: string): Promise<Uint8Array> {
  await using file = await open(path)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4100), 0, 4100, 0)
  return buffer.subarray(0, bytesRead)
}
