import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { unlessAbsent } from '@origami/host/absent-files'
import { type FileRef, Full, fileRef, type PredictionId, parseFileRef } from '@origami/protocol/demo'
import { type Files, type FolderFiles, type OpenFile, readAbout } from '@origami/serving'

interface CountedFile {
  readonly bytes: number
  readonly since: number
  readonly users: Set<PredictionId>
  lastOpened: number
  /** Whether somebody read the file to its end. */
  wasRead: boolean
}

/** Files of predictions with their sizes, their age, and the predictions that use them. */
export class CountedFiles implements Files {
  private readonly files: FolderFiles
  private readonly inputs: FolderFiles | undefined
  private readonly known = new Map<FileRef, CountedFile>()
  private readonly usedBy = new Map<PredictionId, FileRef[]>()
  private arriving = 0
  private counted = 0
  /** Called before a caller's bytes are accepted, with their number. False refuses them. */
  hasRoom: (more: number) => boolean = () => true

  /** `inputs` are more files, which somebody else looks after. They are neither counted nor removed here. */
  constructor(files: FolderFiles, inputs?: FolderFiles) {
    this.files = files
    this.inputs = inputs
  }

  get bytes(): number {
    return this.counted + this.arriving
  }

  /** Stores a caller's file. Throws Full when there is no room for it. */
  async put(id: string, name: string, type: string | undefined, bytes: AsyncIterable<Uint8Array>): Promise<FileRef> {
    return this.count(await this.files.put(id, name, type, this.whileRoom(bytes)))
  }

  /** Stores a file that a model made. It was on this disk already, so there is room. */
  async take(id: string, name: string, type: string | undefined, bytes: AsyncIterable<Uint8Array>): Promise<FileRef> {
    return this.count(await this.files.put(id, name, type, bytes))
  }

  async open(ref: FileRef): Promise<OpenFile | undefined> {
    const [file, known] = [await this.files.open(ref), this.known.get(ref)]
    if (!file) return this.inputs?.open(ref)
    if (!known) return file
    known.lastOpened = Date.now()
    // An empty file is read as soon as it is opened.
    known.wasRead ||= file.size === 0
    return { ...file, bytes: (start = 0, end = file.size) => noting(file.bytes(start, end), known, end >= file.size) }
  }

  /** Whether somebody read the whole file. True for a file that does not exist. */
  wasRead(ref: FileRef): boolean {
    return this.known.get(ref)?.wasRead ?? true
  }

  /** When somebody last opened it. 0: never. */
  lastOpened(ref: FileRef): number {
    return this.known.get(ref)?.lastOpened ?? 0
  }

  /** Keeps the file for this prediction until `release`. */
  use(ref: FileRef, prediction: PredictionId): void {
    const file = this.known.get(ref)
    if (!file || file.users.has(prediction)) return
    file.users.add(prediction)
    this.usedBy.set(prediction, [...(this.usedBy.get(prediction) ?? []), ref])
  }

  /** Removes the files that only this prediction used. Undefined: it used none. */
  release(prediction: PredictionId): Promise<void> | undefined {
    const used = this.usedBy.get(prediction)
    this.usedBy.delete(prediction)
    return used && this.forgetUnused(prediction, used)
  }

  private async forgetUnused(prediction: PredictionId, used: readonly FileRef[]): Promise<void> {
    const gone = used.filter((ref) => {
      const users = this.known.get(ref)?.users
      return users?.delete(prediction) && users.size === 0
    })
    await Promise.all(gone.map((ref) => this.forget(ref)))
  }

  /** Files that no prediction uses and that arrived before `before`, oldest first. */
  unused(before: number): FileRef[] {
    return [...this.known].filter(([, { users, since }]) => users.size === 0 && since < before).map(([ref]) => ref)
  }

  async forget(ref: FileRef): Promise<void> {
    const file = this.known.get(ref)
    if (!file) return
    this.known.delete(ref)
    this.counted -= file.bytes
    await this.files.forget(ref)
  }

  /** Counts the files that an earlier process left in the folder. Throws Error when the folder cannot be read. */
  async countFolder(folder: string): Promise<void> {
    for (const id of await readdir(folder).catch(unlessAbsent([]))) {
      try {
        const about = await readAbout(join(folder, id))
        if (about) await this.count(fileRef(id, about.name), (await stat(join(folder, id))).mtimeMs)
      } catch (error) {
        console.error(`${join(folder, id)} is not counted as a file of a prediction and is left alone: ${error}`)
      }
    }
  }

  private async count(ref: FileRef, since = Date.now()): Promise<FileRef> {
    const found = this.known.has(ref) ? undefined : await this.files.open(ref)
    if (found && !this.known.has(ref)) {
      this.known.set(ref, { bytes: found.size, since, users: new Set(), lastOpened: 0, wasRead: false })
      this.counted += found.size
    }
    return ref
  }

  private async *whileRoom(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    let here = 0
    try {
      for await (const part of bytes) {
        if (!this.hasRoom(part.length))
          throw new Full('The files of other predictions fill the room there is for files.', 30)
        here += part.length
        this.arriving += part.length
        yield part
      }
    } finally {
      this.arriving -= here
    }
  }
}

/** Passes on the bytes of a file, and notes when they were read to the end. */
async function* noting(bytes: AsyncIterable<Uint8Array>, file: CountedFile, toEnd: boolean): AsyncIterable<Uint8Array> {
  yield* bytes
  if (toEnd) file.wasRead = true
}

/** The file references among the values of an input. */
export const fileRefs = (input: Readonly<Record<string, unknown>>): FileRef[] =>
  Object.values(input).flatMap((value) => (typeof value === 'string' ? (parseFileRef(value)?.ref ?? []) : []))
