import type { DemoId } from '@origami/protocol/demo'
import type { Limits } from '../config.ts'
import { size } from '../disk/free-space.ts'
import { demoIds } from '../store/demos.ts'
import { addUpload, sweepUploads, uploadedBytes } from '../store/kept-bytes.ts'
import type { Db } from '../store/open.ts'

/** How many bytes of uploads are kept, of each demo and in all. */
export class UploadCounts {
  private readonly db: Db
  private readonly limits: Pick<Limits, 'uploadsDemoBytes' | 'uploadsBytes'>
  private stored = new Map<DemoId, number>()
  /** What is on its way, as far as its size was announced. */
  private readonly arriving = new Map<DemoId, number>()

  private constructor(db: Db, limits: Pick<Limits, 'uploadsDemoBytes' | 'uploadsBytes'>) {
    this.db = db
    this.limits = limits
  }

  static async open(db: Db, limits: Pick<Limits, 'uploadsDemoBytes' | 'uploadsBytes'>): Promise<UploadCounts> {
    const counts = new UploadCounts(db, limits)
    await counts.read()
    return counts
  }

  /** Why so many bytes more are too many for a demo, for people. Undefined: they are not. */
  lackFor(demo: DemoId, bytes: number): string | undefined {
    const { uploadsDemoBytes, uploadsBytes } = this.limits
    const sum = (counts: ReadonlyMap<DemoId, number>) => [...counts.values()].reduce((total, one) => total + one, 0)
    const own = (this.stored.get(demo) ?? 0) + (this.arriving.get(demo) ?? 0)
    if (own + bytes > uploadsDemoBytes)
      return `${size(own)} of uploads for this demo are kept, and ${size(uploadsDemoBytes)} is the most`
    const all = sum(this.stored) + sum(this.arriving)
    if (all + bytes > uploadsBytes) return `${size(all)} of uploads are kept, and ${size(uploadsBytes)} is the most`
    return undefined
  }

  /** Counts what is on its way until `work` is done. */
  async during<Result>(demo: DemoId, bytes: number, work: () => Promise<Result>): Promise<Result> {
    add(this.arriving, demo, bytes)
    try {
      return await work()
    } finally {
      add(this.arriving, demo, -bytes)
    }
  }

  async arrived(demo: DemoId, file: string, bytes: number): Promise<void> {
    add(this.stored, demo, bytes)
    await addUpload(this.db, { file, demo_id: demo, bytes, at: new Date().toISOString() })
  }

  /** Forgets at most `rows` of those from before `before`, whose files are removed. Returns how many. */
  async sweep(before: string, rows: number): Promise<number> {
    const swept = await sweepUploads(this.db, before, rows)
    if (swept > 0) await this.read()
    return swept
  }

  private async read(): Promise<void> {
    const stored = new Map<DemoId, number>()
    for (const demo of await demoIds(this.db)) add(stored, demo, await uploadedBytes(this.db, demo))
    this.stored = stored
  }
}

function add(counts: Map<DemoId, number>, demo: DemoId, bytes: number): void {
  const now = (counts.get(demo) ?? 0) + bytes
  if (now === 0) counts.delete(demo)
  else counts.set(demo, now)
}
