import { sql } from 'kysely'

/**
 * Conditions of predictions in the words of their indexes, which SQLite uses for no others: a parameter may be any
 * status.
 */
export const isOpen = sql<boolean>`status IN ('starting', 'processing')`
export const isSucceeded = sql<boolean>`status = 'succeeded'`

/** Every prediction has a demo, by which its index is searched. */
export const ofAnyDemo = sql<boolean>`demo_id IN (SELECT id FROM demos)`
