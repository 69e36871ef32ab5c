import { open } from 'node:fs/promises'
import type Database from 'better-sqlite3'
import { logger } from './logger.ts'

/** How many pages the log may have before it is emptied. */
const mostPages = 1000

/** So many writes pass before it is looked how long the log is. */
const writesBetween = 50

interface CheckpointsParts {
  /** A connection of its own. It does not wait for the disk by itself. */
  readonly database: Database.Database
  /** Does the work while nobody else uses the database. */
  readonly alone: (work: () => Promise<void>) => Promise<void>
  /** Resolves once the log is on the disk. */
  readonly logOnDisk: () => Promise<void>
}

/**
 * Moves what a long write-ahead log has into its database, so that the log begins anew (a checkpoint). SQLite would do
 * so in the middle of a commit, and wait for the disk on the thread that answers callers. Here its waits block nobody,
 * though who uses the database meanwhile waits for them: a later write takes the place of what was in the log.
 */
export class Checkpoints implements AsyncDisposable {
  private readonly parts: CheckpointsParts
  private writes = 0
  private length: Database.Statement<[], { log: number }> | undefined
  private running: Promise<void> | undefined

  constructor(parts: CheckpointsParts) {
    this.parts = parts
  }

  /** Call it with each statement that writes. */
  readonly wrote = (): void => {
    this.writes += 1
    if (this.writes < writesBetween || this.running) return
    this.writes = 0
    this.running = this.run().finally(() => {
      this.running = undefined
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.running
    this.parts.database.close()
  }

  /** Never rejects. */
  private async run(): Promise<void> {
    const { database, alone } = this.parts
    try {
      await alone(async () => {
        if (this.pages() >= mostPages) await this.checkpoint()
      })
    } catch (error) {
      logger('store').error(`the log of ${database.name} could not be emptied; tried again soon`, error)
    }
  }

  private async checkpoint(): Promise<void> {
    const { database, logOnDisk } = this.parts
    // What is in the database must be in the log, should the power fail meanwhile.
    await logOnDisk()
    database.pragma('wal_checkpoint(PASSIVE)')
    await using file = await open(database.name, 'r+')
    await file.datasync()
    // SQLite waits for the disk at the first write of a log that begins anew, so this one changes nothing.
    database.pragma(`user_version = ${database.pragma('user_version', { simple: true })}`)
    await logOnDisk()
  }

  private pages(): number {
    this.length ??= this.parts.database.prepare<[], { log: number }>('pragma wal_checkpoint(NOOP)')
    return this.length.get()?.log ?? 0
  }
}
