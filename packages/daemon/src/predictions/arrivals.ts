import { isDiskFull } from '@origami/host/disk-full'
import { type DemoId, Gone, type PredictionId } from '@origami/protocol/demo'
import type { Changes } from '../changes.ts'
import type { Limits } from '../config.ts'
import type { FreeSpace } from '../disk/free-space.ts'
import type { Commits } from '../store/commits.ts'
import { isStopped } from '../store/demos.ts'
import type { Db } from '../store/open.ts'
import { justArrived } from '../store/open-predictions.ts'
import { addPrediction, type NewPrediction, predictionById } from '../store/predictions.ts'
import { Admission, demoStopped } from './admission.ts'
import type { OpenPredictions } from './open-predictions.ts'
import type { Turns } from './turns/turns.ts'
import { noRoom } from './upload-files.ts'

const nowhere = { sent_to: null, deployment: null }

interface ArrivalsParts {
  readonly db: Db
  readonly commits: Commits
  readonly changed: Changes
  readonly limits: Limits
  readonly open: OpenPredictions
  readonly turns: Turns
  /** Without it there is always room. */
  readonly space?: Pick<FreeSpace, 'lackFor'>
}

/** Stores arriving predictions. All that arrive in one turn of the event loop share one transaction. */
export class Arrivals {
  private readonly parts: ArrivalsParts
  private readonly admission: Admission
  /** Those that are being stored, by demo and id. */
  private readonly underWay = new Map<string, Promise<number>>()

  constructor(parts: ArrivalsParts) {
    this.parts = parts
    this.admission = new Admission(parts.open.waiting, parts.limits)
  }

  /**
   * Resolves to the prediction's arrival once it is durable, or to that of the one whose id it has. Throws Full when no
   * place is left, Gone when its demo was stopped or removed meanwhile.
   */
  async add(prediction: NewPrediction): Promise<number> {
    const { demo_id, id } = prediction.row
    const { open } = this.parts
    if (!open.isUpToDate) await open.upToDate()
    const known = open.byId(demo_id, id)?.arrival
    if (known !== undefined) return known
    const key = `${demo_id} ${id}`
    const stored = this.underWay.get(key) ?? this.store(prediction).finally(() => this.underWay.delete(key))
    this.underWay.set(key, stored)
    return stored
  }

  private async store({ row, files, input }: NewPrediction): Promise<number> {
    const { commits, open, changed, turns } = this.parts
    const { demo_id: demo, id, visitor = null, address = null } = row
    const whose = { demo, visitor, address }
    const lack = await this.parts.space?.lackFor('prediction')
    const refusal = lack === undefined ? this.admission.reserve(whose) : noRoom(lack)
    if (refusal) return this.joined(demo, id, refusal)
    const ready = turns.reserve(demo)
    // What is sent at once is stored with where it is sent, which is one wait for the disk less.
    const place = ready ? { sent_to: ready.endpoint, deployment: ready.deployment.id } : nowhere
    const placed = { ...row, ...place, commit_sha: ready?.deployment.commit_sha ?? null }
    try {
      const arrival = await commits.run((trx) => addPrediction(trx, { row: placed, files }))
      if (arrival === undefined) return await this.joined(demo, id)
      if (input) open.keepInput(arrival, { input, length: row.input.length })
      if (ready) turns.lacks(arrival, ready.endpoint)
      changed.predictionChanged(demo, arrival, justArrived({ ...placed, arrival }))
      return arrival
    } catch (error) {
      if (isDiskFull(error)) throw noRoom('its disk is full')
      throw error
    } finally {
      this.admission.release(whose)
      if (ready) turns.arrived(demo)
    }
  }

  /** The arrival of the prediction that has this id already. Throws why there is no new one, where there is none. */
  private async joined(demo: DemoId, id: PredictionId, refusal?: Error): Promise<number> {
    const { db } = this.parts
    const before = await predictionById(db, demo, id)
    if (before) return before.arrival
    if (refusal) throw refusal
    throw (await isStopped(db, demo)) ? demoStopped() : new Gone('This demo was removed.')
  }
}
