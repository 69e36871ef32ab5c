import type { AuditEntry, AuditPage } from '@origami/protocol/control'
import type { Selectable } from 'kysely'
import type { Db, Tables } from './open.ts'

export type NewAuditEntry = Omit<AuditEntry, 'seq'> & { readonly account_id: string | null }

/** `db` may be the transaction of the change that is written down. */
export async function addAuditEntry(db: Db, { account_id, account: handle, ...entry }: NewAuditEntry): Promise<void> {
  const { before, after, ...plain } = entry
  const row = { ...plain, account: account_id, handle, before: asText(before), after: asText(after) }
  await db.insertInto('audit').values(row).execute()
}

const pageRows = 100

/** The newest rows, or those older than `before`. */
export async function auditPage(db: Db, before?: number): Promise<AuditPage> {
  const found = await db
    .selectFrom('audit')
    .selectAll()
    .$if(before !== undefined, (query) => query.where('seq', '<', before ?? 0))
    .orderBy('seq', 'desc')
    .limit(pageRows + 1)
    .execute()
  const entries = found.slice(0, pageRows).map(toEntry)
  const last = entries.at(-1)
  return { entries, ...(found.length > pageRows && last ? { next: last.seq } : {}) }
}

/** Removes at most `rows` of those that were written at `oldest` or before. Returns how many. */
export async function sweepAudit(db: Db, oldest: string, rows: number): Promise<number> {
  const old = db.selectFrom('audit').select('seq').where('at', '<=', oldest).limit(rows)
  const { numDeletedRows } = await db.deleteFrom('audit').where('seq', 'in', old).executeTakeFirst()
  return Number(numDeletedRows)
}

const asText = (value: object | null): string | null => (value === null ? null : JSON.stringify(value))

const asObject = (text: string | null): Record<string, unknown> | null => (text === null ? null : JSON.parse(text))

const toEntry = ({ account: _, handle, before, after, ...row }: Row): AuditEntry => ({
  ...row,
  account: handle,
  before: asObject(before),
  after: asObject(after),
})

type Row = Selectable<Tables['audit']>
