import { statfs } from 'node:fs/promises'
import type { PredictionId } from '@origami/protocol/demo'
import { type CountedFiles, fileRefs } from './counted-files.ts'
import type { Run } from './run.ts'

export interface KeepLimits {
  /** How long a prediction is kept after its end. */
  readonly keepMs: number
  /** How many ended predictions are kept. */
  readonly maxEnded: number
  /** Files, inputs and outputs of all predictions here, in bytes. */
  readonly maxBytes: number
  /** What ended, or was last read, so short a while ago is spared where room is short, unless all of it was fetched. */
  readonly leastAgeMs: number
  /** How long a file that no prediction used is kept. */
  readonly unusedFileMs: number
}

/** While bytes are short, an upload is kept for as long as its prediction may take to follow it. */
const followMs = 60_000
/** How many times the limits what is spared may take, and how many times `maxBytes` what is open. */
const factors = { spared: 2, open: 3 }

interface EndedRun {
  readonly run: Run
  readonly at: number
  /** About what it takes in memory. */
  readonly bytes: number
}

/**
 * The predictions of this runtime, open and ended. Those that ended are forgotten, with their files, the oldest first;
 * where room is short those that were fetched go, and not those that somebody is about to fetch.
 */
export class RunStore implements Disposable {
  private readonly runs = new Map<PredictionId, Run>()
  private readonly open = new Set<Run>()
  /** In the order in which they ended. */
  private readonly ended = new Map<PredictionId, EndedRun>()
  private endedBytes = 0
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
    this.open.add(run)
  }

  /** A prediction ended: from now on it may be forgotten. */
  end(run: Run): void {
    this.open.delete(run)
    this.ended.set(run.id, { run, at: Date.now(), bytes: run.bytes })
    this.endedBytes += run.bytes
    this.sweep()
  }

  /**
   * Whether so many bytes more may come, after forgetting what may be forgotten. What is spared may take twice what is
   * kept: then nothing more comes until it was fetched or is old enough. What open predictions need may take three
   * times.
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

  private get bytes(): number {
    let bytes = this.files.bytes + this.endedBytes
    for (const run of this.open) bytes += run.bytes
    return bytes
  }

  /** Forgets what is over its time, and what may go where there is not room for so many bytes more. */
  private sweep(more = 0): void {
    const { keepMs, maxEnded, maxBytes, unusedFileMs } = this.limits
    const now = Date.now()
    const short = () => this.bytes + more > maxBytes
    for (const [id, ended] of this.ended) {
      const isDue = ended.at + keepMs <= now
      if (!isDue && this.ended.size <= maxEnded && !short()) break
      if (isDue || !this.isSpared(ended, more, now)) this.forget(id)
    }
    for (const ref of this.files.unused(now - unusedFileMs)) logFailure(this.files.forget(ref))
    for (const ref of this.files.unused(now - followMs)) if (short()) logFailure(this.files.forget(ref))
  }

  /** Whether somebody is about to fetch it. The newest has time until others need its room. */
  private isSpared({ run, at }: EndedRun, more: number, now: number): boolean {
    const { leastAgeMs, maxEnded } = this.limits
    if (more === 0 && this.ended.size === 1) return true
    if (this.ended.size > factors.spared * maxEnded) return false
    const refs = fileRefs(run.outputs)
    if (run.wasFollowed && refs.every((ref) => this.files.wasRead(ref))) return false
    const touched = Math.max(at, ...refs.map((ref) => this.files.lastOpened(ref)))
    return touched + leastAgeMs > now
  }

  private forget(id: PredictionId): void {
    this.endedBytes -= this.ended.get(id)?.bytes ?? 0
    this.ended.delete(id)
    this.runs.delete(id)
    logFailure(this.files.release(id))
  }
}

/** What could not be removed is said; the next sweep does not try again, since nobody knows the file any more. */
function logFailure(forgetting: Promise<void>): void {
  forgetting.catch((error) => console.error(`files of a prediction could not be removed: ${error}`))
}

/** A quarter of what is free where files are kept, and of the memory there is (they may be one), and at most 1 GiB. */
export async function defaultMaxBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  const memory = process.constrainedMemory()
  return Math.min(1024 ** 3, Math.floor(Math.min(bavail * bsize, memory > 0 ? memory : Number.POSITIVE_INFINITY) / 4))
}
