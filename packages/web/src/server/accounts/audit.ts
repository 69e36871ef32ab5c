import { logger } from '@origami/host/logger'
import type { Slices } from '@origami/host/slices'
import type { webApi } from '@origami/protocol/control'
import { Gone } from '@origami/protocol/demo'
import type { FastifyRequest } from 'fastify'
import type { WebLimits } from '../config.ts'
import type { Account } from '../store/accounts.ts'
import { addAuditEntry, type NewAuditEntry, sweepAudit } from '../store/audit.ts'
import type { Db, InTransaction } from '../store/open.ts'

const log = logger('audit')
const dayMs = 86_400_000
/** The longest text of a failure that is kept. */
const mostLetters = 500

/** What somebody does, as it is written down. It must hold no secret. */
export interface Act {
  /** The id of the endpoint. */
  readonly action: (typeof webApi)[keyof typeof webApi]['id'] | 'signIn'
  /** What it is done to: a demo's address, or the id of something else. */
  readonly object?: string
  readonly before?: Record<string, unknown>
  readonly after?: Record<string, unknown>
  /** Who does it, where that is not who the request came from: somebody who only signs in by it. */
  readonly account?: Pick<Account, 'id' | 'handle'>
}

/** The log of what was changed here: by whom, from where, and what it was before. */
export class Audit {
  private readonly db: Db
  private readonly limits: Pick<WebLimits, 'auditDays'>

  constructor(db: Db, limits: Pick<WebLimits, 'auditDays'>) {
    this.db = db
    this.limits = limits
  }

  /**
   * Does what changes something, and writes one row about it: by `write` in the transaction of the change, where that
   * is in this database too, and else once it is done. What was tried and failed is written with its failure. What was
   * refused before anything was tried is not written: the caller may not do it, it is not there, or it does not fit.
   */
  async record<Result>(
    request: FastifyRequest,
    act: Act,
    change: (write: WriteAct) => Promise<Result>,
  ): Promise<Result> {
    let isWritten = false
    const write: WriteAct = async (trx, more) => {
      await addAuditEntry(trx, entryOf(request, { ...act, ...more }, null))
      isWritten = true
    }
    try {
      const result = await change(write)
      if (!isWritten) await addAuditEntry(this.db, entryOf(request, act, null))
      return result
    } catch (error) {
      if (!isRefusal(error)) await this.writeFailure(request, act, error)
      throw error
    }
  }

  /** Writes one row in the transaction of what is done. */
  async write(trx: Parameters<InTransaction>[0], request: FastifyRequest, act: Act): Promise<void> {
    await addAuditEntry(trx, entryOf(request, act, null))
  }

  /** Removes what is too old. */
  async sweep(slices: Slices, signal?: AbortSignal): Promise<void> {
    const oldest = new Date(Date.now() - this.limits.auditDays * dayMs).toISOString()
    await slices.run('audit', signal, (rows) => sweepAudit(this.db, oldest, rows))
  }

  /** The failure itself is what the caller hears of, whether or not it could be written. */
  private async writeFailure(request: FastifyRequest, act: Act, failure: unknown): Promise<void> {
    await addAuditEntry(this.db, entryOf(request, act, failureOf(failure))).catch((error: unknown) =>
      log.error(`That ${act.action} failed could not be written to the audit log.`, error),
    )
  }
}

/** Writes the row in a transaction, with what is known only there. */
export type WriteAct = (trx: Parameters<InTransaction>[0], more?: Partial<Act>) => Promise<void>

function entryOf(request: FastifyRequest, act: Act, failure: string | null): NewAuditEntry {
  const { account, token } = request.who
  const who = act.account ?? account
  return {
    at: new Date().toISOString(),
    account_id: who?.id ?? null,
    account: who?.handle ?? null,
    by: token ? `token ${token}` : account ? 'session' : 'nobody signed in',
    address: request.ip,
    request: request.id,
    action: act.action,
    object: act.object ?? null,
    before: act.before ?? null,
    after: act.after ?? null,
    failure,
  }
}

/** What the caller is told of a failure. The words of a fault of ours are in the log alone, under the request's id. */
function failureOf(error: unknown): string {
  const status = statusOf(error)
  if (!(error instanceof Error) || status === undefined) return 'a fault of this server; its log has it'
  return error.message.slice(0, mostLetters)
}

function isRefusal(error: unknown): boolean {
  const status = statusOf(error)
  return status !== undefined && [401, 403, 404, 422].includes(status)
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof Gone) return 503
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : undefined
}
