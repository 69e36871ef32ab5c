import type { AuditPage } from '@origami/protocol/control'
import { auditPage } from '../store/audit.ts'
import { hasStore, openStore } from '../store/open.ts'

/**
 * A page of the audit log for the operator on the host: the newest rows, or those older than `before`. The web server
 * of this state folder may be running. Throws Error when there never was one.
 */
export async function readAuditLog(data: string, before?: number): Promise<AuditPage> {
  if (!hasStore(data))
    throw new Error(`no web server ever ran with ${data}: start it once, or name its folder with --data`)
  const db = await openStore(data)
  try {
    return await auditPage(db, before)
  } finally {
    await db.destroy()
  }
}
