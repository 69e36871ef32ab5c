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

/** Stores an event. Call it in the transaction of the change that the event reports. */
export async function addEvent(trx: Trx, { from, to, ...event }: NewEvent): Promise<void> {
  await trx
    .insertInto('events')
    .values({ ...event, from_state: from, to_state: to })
    .execute()
}

/** Whether a demo of this id existed once. */
export async function wasRemoved(db: Db, demo: DemoId): Promise<boolean> {
  const event = await db
    .selectFrom('events')
    .select('seq')
    .where('demo', '=', demo)
    .where('to_state', '=', 'removed')
    .executeTakeFirst()
  return event !== undefined
}

/** The events after `seq` in order, at most `limit`. */
export async function eventsAfter(db: Db, seq: number, limit = 500): Promise<ControlEvent[]> {
  const rows = await db.selectFrom('events').selectAll().where('seq', '>', seq).orderBy('seq').limit(limit).execute()
  return rows.map(({ from_state, to_state, ...event }) => ({ ...event, from: from_state, to: to_state }))
}

/** Removes at most `rows` of the events before `before`. Returns how many. */
export async function sweepOldEvents(db: Db, before: string, rows: number): Promise<number> {
  const old = db.selectFrom('events').select('seq').where('at', '<', before).limit(rows)
  const { numDeletedRows } = await db.deleteFrom('events').where('seq', 'in', old).executeTakeFirst()
  return Number(numDeletedRows)
}

/** Removes at most `rows` of the events beyond the newest `kept`. Returns how many. */
export async function sweepCrowdedEvents(db: Db, keep: number, rows: number): Promise<number> {
  const newest = await db
    .selectFrom('events')
    .select((eb) => eb.fn.max<number | null>('seq').as('seq'))
    .executeTakeFirst()
  if (!newest?.seq) return 0
  const tooMany = db
    .selectFrom('events')
    .select('seq')
    .where('seq', '<=', newest.seq - keep)
    .orderBy('seq')
    .limit(rows)
  const { numDeletedRows } = await db.deleteFrom('events').where('seq', 'in', tooMany).executeTakeFirst()
  return Number(numDeletedRows)
}

/** Removes at most `rows` of a demo's events. Returns how many. */
export async function deleteEvents(db: Db, demo: DemoId, rows: number): Promise<number> {
  const some = db.selectFrom('events').select('seq').where('demo', '=', demo).limit(rows)
  const { numDeletedRows } = await db.deleteFrom('events').where('seq', 'in', some).executeTakeFirst()
  return Number(numDeletedRows)
}
