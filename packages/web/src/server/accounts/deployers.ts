import { setTimeout } from 'node:timers/promises'
import { forgeTraits } from '@origami/protocol/control'
import type { Forge, ForgeUser } from '../forges/forge.ts'
import { forgeAt } from '../forges/forges.ts'
import type { Account } from '../store/accounts.ts'
import { isDeployer, resolvedLogins, resolveLogin } from '../store/deployers.ts'
import type { Db } from '../store/open.ts'

interface DeployerParts {
  readonly db: Db
  readonly forges: readonly Forge[]
  /** `github.com/ann`, or `ann` at the first forge where people sign in. */
  readonly listed: readonly string[]
  readonly log: (message: string, error?: unknown) => void
}

interface Seed {
  readonly forge: Forge
  readonly login: string
}

const backOffMs = [1000, 5000, 30_000, 120_000, 600_000]

/**
 * Who may deploy, besides the owner: kept by forge and by the forge's own number. What the operator lists are logins;
 * each is looked up at its forge once, and never again: a login that is renamed, or has a new owner, decides nothing
 * afterwards.
 */
export class Deployers {
  private readonly parts: DeployerParts
  private readonly seeds: readonly Seed[]

  constructor(parts: DeployerParts) {
    this.parts = parts
    this.seeds = parts.listed.flatMap((one) => this.parse(one) ?? [])
  }

  async mayDeploy(account: Account): Promise<boolean> {
    return account.owner || isDeployer(this.parts.db, account.id)
  }

  /** Looks up what is listed and not known yet, with back-off, until no forge need be asked or the signal aborts. */
  async seed(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await Promise.all((await this.unasked()).map((one) => this.look(one, attempt === 0)))
        if ((await this.unasked()).length === 0) return
      } catch (error) {
        this.parts.log('Who may deploy could not be read; it is tried again.', error)
      }
      const pause = backOffMs[Math.min(attempt, backOffMs.length - 1)]
      // It rejects when the signal aborts, which ends the loop.
      await setTimeout(pause, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Somebody signed in: the forge has just said whose login it is, so it need not be asked. */
  async seen(host: string, { login, subject }: ForgeUser): Promise<void> {
    const seed = (await this.pending()).find(
      (one) => one.forge.entry.host === host && one.login === login.toLowerCase(),
    )
    if (seed) await this.keep(seed, subject)
  }

  private async pending(): Promise<Seed[]> {
    const known = await resolvedLogins(this.parts.db)
    const isKnown = ({ forge, login }: Seed) =>
      known.some((one) => one.forge === forge.entry.host && one.login === login)
    return this.seeds.filter((seed) => !isKnown(seed))
  }

  /** Where a forge does not tell whose a login is, it is known once they sign in. */
  private async unasked(): Promise<Seed[]> {
    return (await this.pending()).filter(({ forge }) => forge.people)
  }

  private async look(seed: Seed, first: boolean): Promise<void> {
    const { forge, login } = seed
    const { host } = forge.entry
    try {
      const user = await forge.people?.find(login)
      if (user) await this.keep(seed, user.subject)
      else if (first) this.parts.log(`${host} knows no ${login}, who may deploy here; it is asked again later`)
    } catch (error) {
      // Told the first time alone, since it is tried again for ever.
      if (first)
        this.parts.log(`${host} could not be asked who ${login} is, who may deploy here; it is asked again`, error)
    }
  }

  private async keep({ forge, login }: Seed, subject: string): Promise<void> {
    await resolveLogin(this.parts.db, { forge: forge.entry.host, login }, subject)
  }

  private parse(listed: string): Seed | undefined {
    const seed = forgeOf(listed, this.parts.forges)
    if (seed) return seed
    this.parts.log(`${listed} is nobody who may deploy: expected forge/login, of a forge where people sign in`)
    return undefined
  }
}

/** `github.com/ann`, or `ann` at the first forge where people sign in; in small letters. Undefined: it is nobody's. */
export function forgeOf(listed: string, forges: readonly Forge[]): Seed | undefined {
  const written = listed.toLowerCase()
  const [host, login = ''] = written.includes('/') ? written.split('/') : [undefined, written]
  const possible = forges.filter(({ entry }) => forgeTraits[entry.kind].signsIn)
  const forge = host === undefined ? possible[0] : forgeAt(possible, host)
  return forge && login !== '' ? { forge, login } : undefined
}
