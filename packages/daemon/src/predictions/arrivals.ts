import { logger } from '@origami/host/logger'
import { isMissingReference } from '@origami/host/sqlite'
import { Gone } from '@origami/protocol/demo'
import type { Changes } from '../changes.ts'
import type { Limits } from '../config.ts'
import type { Commits } from '../store/commits.ts'
import type { Db } from '../store/open.ts'
import { addPredictions, maxAdded, type NewPrediction, predictionById } from '../store/predictions.ts'
import { admit } from './admission.ts'

const log = logger('predictions')

interface ArrivalsParts {
  readonly db: Db
  readonly commits: Commits
  readonly changed: Changes
  readonly limits: Limits
}

interface Arriving {
  readonly prediction: NewPrediction
  readonly stored: PromiseWithResolvers<number>
}

/** Stores arriving predictions. All that arrive in one turn of the event loop share one transaction. */
export class Arrivals {
  private readonly db: Db
  private readonly commits: Commits
  private readonly changed: Changes
  private readonly limits: Limits
  private arriving: Arriving[] = []

  constructor({ db, commits, changed, limits }: ArrivalsParts) {
    this.db = db
    this.commits = commits
    this.changed = changed
    this.limits = limits
  }

  /**
   * Resolves to the prediction's arrival once it is durable. Throws Full when no place is left, Gone when its demo was
   * stopped or removed meanwhile.
   */
  add(prediction: NewPrediction): Promise<number> {
    if (this.arriving.length === 0) setImmediate(() => void this.flush())
    const stored = Promise.withResolvers<number>()
    this.arriving.push({ prediction, stored })
    return stored.promise
  }

  /** A prediction that cannot be stored fails alone: the others are stored again without it. Never rejects. */
  private async flush(): Promise<void> {
    const batch = this.arriving
    this.arriving = []
    for (let start = 0; start < batch.length; start += maxAdded) {
      const part = batch.slice(start, start + maxAdded)
      try {
        await this.store(part)
      } catch (error) {
        if (part.length > 1) log.error('predictions could not be stored together, and are stored one by one', error)
        for (const one of part) await this.store([one]).catch((cause: unknown) => one.stored.reject(asRefusal(cause)))
      }
    }
  }

  private async store(batch: readonly Arriving[]): Promise<void> {
    const arriving = batch.map(({ prediction }) => prediction)
    const { added, refused } = await this.commits.run(async (trx) => {
      const { admitted, refused } = await admit(trx, arriving, this.limits)
      return { refused, added: admitted.length > 0 ? await addPredictions(trx, admitted) : [] }
    })
    for (const { arrival, demo_id } of added) this.changed.predictionChanged(demo_id, arrival)
    for (const { prediction, stored } of batch) {
      const refusal = refused.get(prediction)
      if (refusal) {
        stored.reject(refusal)
        continue
      }
      const { demo_id, id } = prediction.row
      const found = added.find((row) => row.demo_id === demo_id && row.id === id)
      // The id was stored before, so the caller joins the prediction that has it.
      const arrival = found?.arrival ?? (await predictionById(this.db, demo_id, id))?.arrival
      if (arrival === undefined) stored.reject(new Gone('This prediction was removed while it arrived.'))
      else stored.resolve(arrival)
    }
  }
}

const asRefusal = (error: unknown): unknown =>
  isMissingReference(error) ? new Gone('This demo was removed.', { cause: error }) : error
