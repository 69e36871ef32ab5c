import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { logger } from '@origami/host/logger'
import { type FileRef, fileRef, type PredictionId, parseFileRef } from '@origami/protocol/demo'
import { FolderFiles, type HttpPredictor } from '@origami/serving'
import type { InputFolder } from '../../engine/engine.ts'

const log = logger('predictions')

/**
 * The files of one prediction in the folder that an instance on this host sees. There each has an id of its own, made
 * of the prediction's and the file's: what is put there goes with its prediction, whoever else has the same file.
 */
export class HandedFiles {
  private readonly stored: FolderFiles
  private readonly folder: InputFolder
  private readonly prediction: PredictionId
  private readonly there: FolderFiles

  constructor(stored: FolderFiles, folder: InputFolder, prediction: PredictionId) {
    this.stored = stored
    this.folder = folder
    this.prediction = prediction
    this.there = new FolderFiles(folder.path, { maxFileBytes: () => 0 })
  }

  /**
   * Puts a file there and asks the instance whether it sees it. Undefined: it does not, because it runs elsewhere or
   * was started by an earlier version, or the file is not stored any more. Then nothing is left there.
   */
  async hand(ref: FileRef, instance: HttpPredictor, signal: AbortSignal): Promise<FileRef | undefined> {
    if (!existsSync(this.folder.path)) return undefined
    try {
      const how = this.folder.isReadOnly ? 'link' : 'copy'
      const given = await this.stored.giveTo(this.there, ref, this.idOf(ref), how)
      if (given && (await instance.files.open(given, signal))) return given
    } catch (error) {
      signal.throwIfAborted()
      log.error(`${ref} could not be handed to its instance and is sent over HTTP`, error)
    }
    await this.takeBack([ref])
    return undefined
  }

  /** Removes what was put there. Never throws: what stays goes with the instance. */
  async takeBack(refs: readonly FileRef[]): Promise<void> {
    for (const ref of refs)
      try {
        const name = parseFileRef(ref)?.name
        if (name) await this.there.forget(fileRef(this.idOf(ref), name))
      } catch (error) {
        log.error(`${ref} could not be removed from ${this.folder.path}`, error)
      }
  }

  private idOf(ref: FileRef): string {
    return createHash('sha256').update(`${this.prediction} ${ref}`).digest('hex').slice(0, 32)
  }
}
