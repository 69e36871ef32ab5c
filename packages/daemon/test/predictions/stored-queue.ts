import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DemoId, type PredictionId, randomId, type VisitorId } from '@origami/protocol/demo'
import { type Db, openStore } from '../../src/store/open.ts'
import { addPrediction, type NewPrediction } from '../../src/store/predictions.ts'

/** A store in a folder of its own, with demos and predictions as rows. */
export class StoredQueue implements AsyncDisposable {
  readonly db: Db
  private readonly folder: string

  private constructor(folder: string, db: Db) {
    this.folder = folder
    this.db = db
  }

  static async open(): Promise<StoredQueue> {
    const folder = await mkdtemp(join(tmpdir(), 'origami-rows-'))
    return new StoredQueue(folder, await openStore(folder))
  }

  async demo(): Promise<DemoId> {
    const id = randomId() as DemoId
    const row = { id, user_id: 'ann', repolink: 'https://folder.test/ann/x', want: 'on' as const, created_at: '' }
    await this.db.insertInto('demos').values(row).execute()
    return id
  }

  /** A prediction that arrives and is not stored. */
  static prediction(demo: DemoId, visitor: string | null, change: Partial<NewPrediction['row']> = {}): NewPrediction {
    const row = { id: randomId() as PredictionId, demo_id: demo, visitor: visitor as VisitorId | null, created_at: '' }
    return { row: { ...row, status: 'starting', input: '{}', ...change }, files: [] }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.db.destroy()
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** Stores predictions of demos that are wanted on. */
export async function addPredictions(db: Db, predictions: readonly NewPrediction[]): Promise<{ arrival: number }[]> {
  const added: { arrival: number }[] = []
  for (const prediction of predictions) {
    const arrival = await addPrediction(db, prediction)
    if (arrival === undefined) throw new Error('the prediction was not stored')
    added.push({ arrival })
  }
  return added
}
