import { statfs } from 'node:fs/promises'
import type { FileRef, PredictionId } from '@origami/protocol/demo'
import { type CountedFiles, fileRefs } from './counted-files.ts'
import type { Run } from './run.ts'

export interface KeepLimits {
  /** How long a prediction is kept after its end. */
  readonly keepMs: number
  /** How many ended predictions are kept. */
  readonly maxEnded: number
  /** The bytes in memory that ended predictions may have together, beside those that somebody is about to fetch. */
  readonly maxEndedBytes: number
  /** The bytes that files, inputs and outputs of all predictions may have together. */
  readonly maxBytes: number
  /**
   * Predictions that ended or were read at most this long ago are kept when room is short, unless everything of them
   * was fetched.
   */
  readonly leastAgeMs: number
  /** How long a file that no prediction used is kept. */
  readonly unusedFileMs: number
}

/** When bytes are short, an upload is kept for as long as its prediction may take to arrive. */
const followMs = 60_000
/** How many times the limits protected predictions may take, and how many times `maxBytes` open ones may take. */
const factors = { spared: 2, open: 3 }
/** Of so many kept predictions one end pays for looking at all of them, so that an end costs the same with many. */
const keptPerLook = 16

interface EndedRun {
  readonly run: Run
  readonly at: number
  /** Its approximate size in memory. */
  readonly bytes: number
  /** The files of its outputs. */
  readonly refs: readonly FileRef[]
}

/**
 * The predictions of this runtime, open and ended. Ended ones are forgotten with their files, the oldest first. When
 * room is short, those that were fetched go first, and those that somebody is about to fetch stay.
 */
export class RunStore implements Disposable {
  private readonly runs = new Map<PredictionId, Run>()
  /** In the order of their end. */
  private readonly ended = new Map<PredictionId, EndedRun>()
  private endedBytes = 0
  private openBytes = 0
  /** How many predictions ended since the last look at all that are kept. */
  private endedSinceLook = 0
  private readonly files: CountedFiles
  private readonly limits: KeepLimits
  private readonly timer: NodeJS.Timeout

  constructor(files: CountedFiles, limits: KeepLimits) {
    this.files = files
    this.limits = limits
    this.files.hasRoom = (more) => this.hasRoom(more)
    this.timer = setInterval(
      () => this.sweep(),
      Math.max(10, Math.min(30_000, limits.keepMs, limits.unusedFileMs)),
    ).unref()
  }

  get(id: PredictionId): Run | undefined {
    return this.runs.get(id)
  }

  add(run: Run): void {
    this.runs.set(run.id, run)
    this.openBytes += run.bytes
    run.onGrow = (bytes) => {
      this.openBytes += bytes
    }
  }

  /** Notes the end of a prediction, which may be forgotten from now on. */
  end(run: Run): void {
    const { bytes } = run
    run.onGrow = undefined
    this.openBytes -= bytes
    this.ended.set(run.id, { run, at: Date.now(), bytes, refs: fileRefs(run.outputs) })
    this.endedBytes += bytes
    this.endedSinceLook += 1
    const isOverTwice = this.ended.size > factors.spared * this.limits.maxEnded
    if (isOverTwice || (this.isOver && this.endedSinceLook > this.ended.size / keptPerLook)) this.sweep()
  }

  /**
   * Whether this many more bytes may arrive, after forgetting what may be forgotten. Protected predictions may take
   * twice the limits. After that nothing is accepted until they were fetched or are old enough. Open predictions may
   * take three times `maxBytes`.
   */
  hasRoom(more: number): boolean {
    const { maxBytes } = this.limits
    if (this.bytes + more <= maxBytes) return true
    this.sweep(more)
    return this.bytes + more <= (this.ended.size > 0 ? factors.spared : factors.open) * maxBytes
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer)
  }

  private get isOver(): boolean {
    const { maxEnded, maxEndedBytes, maxBytes } = this.limits
    return this.ended.size > maxEnded || this.endedBytes > maxEndedBytes || this.bytes > maxBytes
  }

  private get bytes(): number {
    return this.files.bytes + this.endedBytes + this.openBytes
  }

  /** Forgets what is older than its limit, and as much of the rest as is needed for this many more bytes. */
  private sweep(more = 0): void {
    const { keepMs, maxEnded, maxEndedBytes, maxBytes, unusedFileMs } = this.limits
    const now = Date.now()
    const short = () => this.bytes + more > maxBytes
    this.endedSinceLook = 0
    for (const ended of this.ended.values()) {
      const isDue = ended.at + keepMs <= now
      if (!isDue && this.ended.size <= maxEnded && this.endedBytes <= maxEndedBytes && !short()) break
      if (isDue || !this.isSpared(ended, more, now)) this.forget(ended)
    }
    for (const ref of this.files.unused(now - unusedFileMs)) logFailure(this.files.forget(ref))
    for (const ref of this.files.unused(now - followMs)) if (short()) logFailure(this.files.forget(ref))
  }

  /** Whether somebody is probably about to fetch it. The newest one has time until others need its room. */
  private isSpared({ run, at, refs }: EndedRun, more: number, now: number): boolean {
    const { leastAgeMs, maxEnded } = this.limits
    if (more === 0 && this.ended.size === 1) return true
    if (this.ended.size > factors.spared * maxEnded) return false
    if (run.wasFollowed && refs.every((ref) => this.files.wasRead(ref))) return false
    const touched = Math.max(at, ...refs.map((ref) => this.files.lastOpened(ref)))
    return touched + leastAgeMs > now
  }

  private forget({ run, bytes }: EndedRun): void {
    this.endedBytes -= bytes
    this.ended.delete(run.id)
    this.runs.delete(run.id)
    logFailure(this.files.release(run.id))
  }
}

/** Logs what could not be removed. The next sweep does not try again, because the files are forgotten by then. */
function logFailure(forgetting: Promise<void> | undefined): void {
  forgetting?.catch((error) => console.error(`files of a prediction could not be removed: ${error}`))
}

/**
 * A quarter of the free space where files are kept, or of the memory if that is less (they may be the same), and at
 * most 1 GiB.
 */
export async function defaultMaxBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  const memory = process.constrainedMemory()
  return Math.min(1024 ** 3, Math.floor(Math.min(bavail * bsize, memory > 0 ? memory : Number.POSITIVE_INFINITY) / 4))
}
