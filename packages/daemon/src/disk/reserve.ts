import { randomBytes } from 'node:crypto'
import { rm, stat, writeFile } from 'node:fs/promises'
import { unlessAbsent } from '@origami/host/absent-files'
import { isDiskFull } from '@origami/host/disk-full'
import { logger } from '@origami/host/logger'

const log = logger('disk')

/** Enough for the ends of all predictions that may wait and run. */
const reserveBytes = 4 * 1024 ** 2

/**
 * A file that holds space on the disk of the state folder. Giving it up makes room to store what was accepted when
 * others have filled the disk.
 */
export class Reserve {
  private readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** Makes the file whole, unless there is no room for it. */
  async fill(): Promise<void> {
    const found = await stat(this.path).catch(unlessAbsent(undefined))
    if (found?.size === reserveBytes) return
    try {
      // A file system may store bytes that are all alike without taking space for them.
      await writeFile(this.path, randomBytes(reserveBytes), { mode: 0o600 })
    } catch (error) {
      if (!isDiskFull(error)) throw error
      await rm(this.path, { force: true })
    }
  }

  /** Never rejects. */
  async giveUp(): Promise<void> {
    try {
      await rm(this.path)
      log.error('the disk is full: its reserve was given up, so that what was accepted can be stored')
    } catch (error) {
      const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT'
      if (!isGone) log.error('the reserve of the disk could not be given up', error)
    }
  }
}
