import { logger } from '@origami/host/logger'
import type { ForgeEntry } from '@origami/protocol/control'
import type { WebLimits } from '../config.ts'
import type { Forge } from '../forges/forge.ts'
import { openForges } from '../forges/forges.ts'
import { addAuditEntry, type NewAuditEntry } from '../store/audit.ts'
import { addDeployer, type ListedDeployer, listDeployers, removeDeployer, settleLogin } from '../store/deployers.ts'
import { type Db, hasStore, openStore } from '../store/open.ts'
import { forgeOf } from './deployers.ts'

/** The operator's request cannot be done. The message says why, and what to do instead. */
class DeployerRefused extends Error {
  override readonly name = 'DeployerRefused'
}

interface Named {
  readonly forge: Forge
  /** Undefined when a number was given instead. */
  readonly login: string | undefined
  readonly subject: string | undefined
}

export interface DeployerListOptions {
  /** The state folder of the web server. The server may be running, because it reads who may deploy at each request. */
  readonly data: string
  readonly forges: readonly ForgeEntry[]
  readonly limits: WebLimits
}

/**
 * The list of those who may deploy, for the operator on the host. People are named `forge/login` or `forge/id:number`.
 * Whoever opens it disposes it.
 */
export class DeployerList implements AsyncDisposable {
  private readonly db: Db
  private readonly forges: readonly Forge[]

  private constructor(db: Db, forges: readonly Forge[]) {
    this.db = db
    this.forges = forges
  }

  /** Throws DeployerRefused when no web server has run with this folder. */
  static async open(options: DeployerListOptions): Promise<DeployerList> {
    if (!hasStore(options.data))
      throw new DeployerRefused(
        `no web server ever ran with ${options.data}: start the web server once, or name its folder with --data`,
      )
    const { forges: entries, limits } = options
    const forges = openForges({ entries, apps: {}, limits, log: logger('accounts').error })
    return new DeployerList(await openStore(options.data), forges)
  }

  async all(): Promise<ListedDeployer[]> {
    return listDeployers(this.db)
  }

  /**
   * False: they may deploy already. Throws DeployerRefused for a login that nobody has, ForgeError when the forge
   * cannot be asked.
   */
  async add(who: string): Promise<{ added: boolean; deployer: ListedDeployer }> {
    const named = this.parse(who)
    const subject = named.subject ?? (await this.askForge(named))
    if (subject === undefined) throw unknownLogin(named)
    const row = { forge: named.forge.entry.host, subject }
    const added = await this.db.transaction().execute(async (trx) => {
      await settleSeed(trx, named)
      const isAdded = await addDeployer(trx, row)
      if (isAdded) await addAuditEntry(trx, byCommand('addDeployer', row))
      return isAdded
    })
    const deployer = (await this.all()).find((one) => one.forge === row.forge && one.subject === subject)
    return { added, deployer: deployer ?? { ...row, login: named.login ?? null } }
  }

  /**
   * Undefined: they may not deploy anyway. A removed login counts as resolved, so that listing it in the settings does
   * not bring it back; only `add` does. Throws DeployerRefused when the login belonged to one person here and belongs
   * to another one now, ForgeError when only the forge could tell whose it is.
   */
  async remove(who: string): Promise<ListedDeployer | undefined> {
    const named = this.parse(who)
    const { host } = named.forge.entry
    const found = await this.among(named)
    if (found.length > 1)
      throw new DeployerRefused(
        `${who} was one of these and is the other now; remove one by its number: ${found.map(({ subject }) => `${host}/id:${subject}`).join(', ')}`,
      )
    const [gone] = found
    await this.db.transaction().execute(async (trx) => {
      await settleSeed(trx, named)
      if (!gone) return
      await removeDeployer(trx, gone)
      await addAuditEntry(trx, byCommand('removeDeployer', gone))
    })
    return gone
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.db.destroy()
  }

  /** Those who may deploy and had that login here, or have it at the forge now. */
  private async among(named: Named): Promise<ListedDeployer[]> {
    const here = (await this.all()).filter(({ forge }) => forge === named.forge.entry.host)
    if (named.subject !== undefined) return here.filter(({ subject }) => subject === named.subject)
    const known = here.filter(({ login }) => login?.toLowerCase() === named.login)
    const now = await this.askForge(named).catch((error: unknown) => {
      // A person who signed in here is known without the forge.
      if (known.length > 0) return undefined
      throw error
    })
    return here.filter((one) => known.includes(one) || one.subject === now)
  }

  private async askForge({ forge, login = '' }: Named): Promise<string | undefined> {
    return (await forge.people?.find(login))?.subject
  }

  private parse(who: string): Named {
    const found = forgeOf(who, this.forges)
    if (!found)
      throw new DeployerRefused(
        `expected forge/login of a forge where people sign in, such as github.com/ann, got ${who}`,
      )
    const [, number] = /^id:(\d{1,20})$/.exec(found.login) ?? []
    return { forge: found.forge, login: number === undefined ? found.login : undefined, subject: number }
  }
}

const byCommand = (action: string, { forge, subject }: { forge: string; subject: string }): NewAuditEntry => ({
  at: new Date().toISOString(),
  account_id: null,
  account: null,
  by: 'command',
  address: null,
  request: null,
  action,
  object: `${forge}/id:${subject}`,
  before: null,
  after: null,
  failure: null,
})

function unknownLogin({ forge, login }: Named): DeployerRefused {
  const { host } = forge.entry
  if (forge.people) return new DeployerRefused(`${host} knows no ${login}`)
  return new DeployerRefused(`${host} does not tell whose login ${login} is: expected ${host}/id:<number>`)
}

async function settleSeed(db: Db, { forge, login }: Named): Promise<void> {
  if (login !== undefined) await settleLogin(db, { forge: forge.entry.host, login })
}
