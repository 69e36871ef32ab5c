import type { ControlEvent } from '@origami/protocol/control'
import type { DemoId, DeploymentId } from '@origami/protocol/demo'
import type { Db, Trx } from './open.ts'

interface NewEvent {
  readonly demo: DemoId
  readonly deployment: DeploymentId | null
  readonly from: string | null
  readonly to: string
  readonly reason: string | null
  readonly at: string
}

/** Belongs in the transaction of the change that it tells. */
export async function addEvent(trx: Trx, { from, to, ...event }: NewEvent): Promise<void> {
  await trx
    .insertInto('events')
    .values({ ...event, from_state: from, to_state: to })
    .execute()
}

/** Whether there once was a demo of this id. */
export async function wasRemoved(db: Db, demo: DemoId): Promise<boolean> {
  const event = await db
    .selectFrom('events')
    .select('seq')
    .where('demo', '=', demo)
    .where('to_state', '=', 'removed')
    .executeTakeFirst()
  return event !== undefined
}

/** In order, at most `limit`. */
export async function eventsAfter(db: Db, seq: number, limit = 500): Promise<ControlEvent[]> {
  const rows = await db.selectFrom('events').selectAll().where('seq', '>', seq).orderBy('seq').limit(limit).execute()
  return rows.map(({ from_state, to_state, ...event }) => ({ ...event, from: from_state, to: to_state }))
}
