import { isDiskFull } from '@origami/host/disk-full'
import { type DemoId, type FileRef, Full, fileRef } from '@origami/protocol/demo'
import type { Files, OpenFile } from '@origami/serving'
import type { FreeSpace } from '../disk/free-space.ts'
import type { UploadCounts } from './upload-counts.ts'

const retryAfterSeconds = 60

export interface UploadFilesOptions {
  readonly files: Files
  readonly demo: DemoId
  readonly space: Pick<FreeSpace, 'lackFor'>
  /** Without it the bytes of uploads are not counted. */
  readonly uploads?: UploadCounts | undefined
}

/**
 * Where callers of a demo put their files: refused while the disk has too little room, or there are too many. What
 * demos put out is stored all the same.
 */
export class UploadFiles implements Files {
  private readonly options: UploadFilesOptions

  constructor(options: UploadFilesOptions) {
    this.options = options
  }

  /** Throws Full when there is no room, and Invalid. */
  async put(...[id, name, type, bytes, signal, size = 0]: Parameters<Files['put']>): Promise<FileRef> {
    const { files, space, uploads, demo } = this.options
    const ref = fileRef(id, name)
    if (await files.open(ref)) return ref
    const lack = (await space.lackFor('upload')) ?? uploads?.lackFor(demo, size)
    if (lack !== undefined) throw noRoom(lack)
    const put = () => files.put(id, name, type, bytes, signal, size)
    try {
      await (uploads ? uploads.during(demo, size, put) : put())
      const stored = await files.open(ref)
      if (stored) await uploads?.arrived(demo, id, stored.size)
      return ref
    } catch (error) {
      if (!isDiskFull(error)) throw error
      throw noRoom('its disk is full')
    }
  }

  open(ref: FileRef, signal?: AbortSignal): Promise<OpenFile | undefined> {
    return this.options.files.open(ref, signal)
  }
}

/** The refusal of what there is no room for. Answered with HTTP 507. */
export const noRoom = (lack: string): Full =>
  new Full(`This server has no room to keep this now (${lack}); try again later.`, retryAfterSeconds, 'storage')
