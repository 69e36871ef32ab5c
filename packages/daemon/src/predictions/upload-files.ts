import { isDiskFull } from '@origami/host/disk-full'
import { type FileRef, Full, fileRef } from '@origami/protocol/demo'
import type { Files, OpenFile } from '@origami/serving'
import type { FreeSpace } from '../disk/free-space.ts'

const retryAfterSeconds = 60

/** Where callers put their files: refused while the disk has too little room. What demos put out is stored all the same. */
export class UploadFiles implements Files {
  private readonly files: Files
  private readonly space: Pick<FreeSpace, 'lackFor'>

  constructor(files: Files, space: Pick<FreeSpace, 'lackFor'>) {
    this.files = files
    this.space = space
  }

  /** Throws Full when there is no room, and Invalid. */
  async put(...[id, name, type, bytes, signal, size]: Parameters<Files['put']>): Promise<FileRef> {
    const lack = await this.space.lackFor('upload')
    if (lack !== undefined && !(await this.files.open(fileRef(id, name)))) throw noRoom(lack)
    try {
      return await this.files.put(id, name, type, bytes, signal, size)
    } catch (error) {
      if (!isDiskFull(error)) throw error
      throw noRoom('its disk is full')
    }
  }

  open(ref: FileRef, signal?: AbortSignal): Promise<OpenFile | undefined> {
    return this.files.open(ref, signal)
  }
}

/** The refusal of what there is no room for. Answered with HTTP 507. */
export const noRoom = (lack: string): Full =>
  new Full(`This server has no room to keep this now (${lack}); try again later.`, retryAfterSeconds, 'storage')
