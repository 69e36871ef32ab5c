import { Full, Gone } from '@origami/protocol/demo'
import type { Limits } from '../config.ts'
import { stoppedOf } from '../store/demos.ts'
import type { Trx } from '../store/open.ts'
import { countWaiting } from '../store/open-predictions.ts'
import { type NewPrediction, predictionById } from '../store/predictions.ts'

type Caps = Pick<Limits, 'waiting' | 'waitingPerVisitor' | 'waitingPerAddress'>
type Whose = Pick<NewPrediction['row'], 'demo_id' | 'visitor' | 'address'>

const retryAfterSeconds = 30

/**
 * Decides which arriving predictions find a place among those that wait for their demo, in order of arrival, and why
 * the others do not. A prediction whose id is stored already needs no place. Call it in the transaction that stores
 * them, so that nothing changes in between.
 */
export async function admit(trx: Trx, arriving: readonly NewPrediction[], caps: Caps) {
  const demos = [...new Set(arriving.map(({ row }) => row.demo_id))]
  const waiting = new Tally()
  for (const { count, ...whose } of await countWaiting(trx, demos)) waiting.add(whose, count)
  const stopped = new Set(await stoppedOf(trx, demos))
  const ids = new Set<string>()
  const admitted: NewPrediction[] = []
  const refused = new Map<NewPrediction, Full | Gone>()
  for (const prediction of arriving) {
    const { row } = prediction
    const id = `${row.demo_id} ${row.id}`
    const refusal = stopped.has(row.demo_id) ? demoStopped() : ids.has(id) ? undefined : waiting.refusal(row, caps)
    if (refusal && !(await predictionById(trx, row.demo_id, row.id))) {
      refused.set(prediction, refusal)
      continue
    }
    if (!ids.has(id)) waiting.add(row, 1)
    ids.add(id)
    admitted.push(prediction)
  }
  return { admitted, refused }
}

/** Counts those that wait: for each demo, and within it for each visitor and each address. */
class Tally {
  private readonly counts = new Map<string, number>()

  add({ demo_id, visitor, address }: Whose, count: number): void {
    const keys = [demo_id, visitorKey(demo_id, visitor), ...(address ? [addressKey(demo_id, address)] : [])]
    for (const key of keys) this.counts.set(key, this.count(key) + count)
  }

  /**
   * Why there is no place. Undefined: there is one. Of several limits that are reached the narrowest is reported, since
   * it says most about what to do.
   */
  refusal({ demo_id, visitor, address }: Whose, caps: Caps): Full | undefined {
    const own = this.count(visitorKey(demo_id, visitor))
    if (own >= caps.waitingPerVisitor)
      return full(
        `${own} predictions of yours wait for this demo already, the most of one visitor; try again once one has begun`,
      )
    const near = address ? this.count(addressKey(demo_id, address)) : 0
    if (near >= caps.waitingPerAddress)
      return full(
        `${near} predictions from your address wait for this demo already, the most of one address; try again later`,
      )
    const all = this.count(demo_id)
    return all >= caps.waiting ? full(`${all} predictions wait for this demo already; try again later`) : undefined
  }

  private count(key: string): number {
    return this.counts.get(key) ?? 0
  }
}

/** The refusal for a stopped demo. A prediction stored after the stop would be neither sent nor ended. */
export const demoStopped = (): Gone => new Gone('This demo is stopped.')

const visitorKey = (demo: string, visitor: string | null | undefined): string => `${demo} visitor ${visitor ?? ''}`
const addressKey = (demo: string, address: string): string => `${demo} address ${address}`
const full = (message: string): Full => new Full(message, retryAfterSeconds)
