import { statfs } from 'node:fs/promises'
import type { PredictionId } from '@origami/protocol/demo'
import type { CountedFiles } from './counted-files.ts'
import type { Run } from './run.ts'

export interface KeepLimits {
  /** How long a prediction is kept after its end. */
  readonly keepMs: number
  /** How many ended predictions are kept. */
  readonly maxKept: number
  /** Files, inputs and outputs of all predictions here, in bytes. */
  readonly maxBytes: number
  /** How long a file that no prediction used is kept. */
  readonly unusedFileMs: number
}

/** While bytes are short, an upload is kept for as long as its prediction may take to follow it. */
const followMs = 60_000
const openFactor = 3

/** The predictions of this runtime, open and ended. Those that ended are forgotten, with their files, the oldest first. */
export class KeptRuns implements Disposable {
  private readonly runs = new Map<PredictionId, Run>()
  private readonly open = new Set<Run>()
  /** When each ended, in order, and about what it takes in memory. */
  private readonly ended = new Map<PredictionId, { readonly at: number; readonly bytes: number }>()
  private endedBytes = 0
  private readonly files: CountedFiles
  private readonly limits: KeepLimits
  private readonly timer: NodeJS.Timeout

  constructor(files: CountedFiles, limits: KeepLimits) {
    this.files = files
    this.limits = limits
    this.files.hasRoom = (more) => this.hasRoom(more)
    this.timer = setInterval(() => this.sweep(), Math.max(10, Math.min(30_000, limits.keepMs, limits.unusedFileMs))).unref()
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
    this.ended.set(run.id, { at: Date.now(), bytes: run.bytes })
    this.endedBytes += run.bytes
    this.sweep()
  }

  /**
   * Whether so many bytes more may come, after forgetting what may be forgotten. What open predictions need may take more
   * than what is kept: they are refused where it is three times as much.
   */
  hasRoom(more: number): boolean {
    if (this.bytes + more <= this.limits.maxBytes) return true
    this.sweep(more)
    return this.bytes + more <= openFactor * this.limits.maxBytes
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer)
  }

  private get bytes(): number {
    let bytes = this.files.bytes + this.endedBytes
    for (const run of this.open) bytes += run.bytes
    return bytes
  }

  private sweep(more = 0): void {
    const { keepMs, maxKept, maxBytes, unusedFileMs } = this.limits
    const now = Date.now()
    const short = () => this.bytes + more > maxBytes
    for (const [id, { at }] of this.ended) {
      // The newest stays even where it alone is too large: somebody is about to fetch it.
      const forced = this.ended.size > maxKept || (this.ended.size > 1 && short())
      if (!forced && at + keepMs > now) break
      this.forget(id)
    }
    for (const ref of this.files.unused(now - unusedFileMs)) logged(this.files.forget(ref))
    for (const ref of this.files.unused(now - followMs)) if (short()) logged(this.files.forget(ref))
  }

  private forget(id: PredictionId): void {
    this.endedBytes -= this.ended.get(id)?.bytes ?? 0
    this.ended.delete(id)
    this.runs.delete(id)
    logged(this.files.release(id))
  }
}

/** What could not be removed is said; the next sweep does not try again, since nobody knows the file any more. */
function logged(forgetting: Promise<void>): void {
  forgetting.catch((error) => console.error(`files of a prediction could not be removed: ${error}`))
}

/** A quarter of what is free where files are kept, and of the memory there is (they may be one), and at most 1 GiB. */
export async function defaultMaxBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  const memory = process.constrainedMemory()
  return Math.min(1024 ** 3, Math.floor(Math.min(bavail * bsize, memory > 0 ? memory : Number.POSITIVE_INFINITY) / 4))
}
