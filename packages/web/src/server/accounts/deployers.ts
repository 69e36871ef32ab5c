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
  /** Logins such as `github.com/ann`. A bare `ann` means the first forge where people sign in. */
  readonly listed: readonly string[]
  readonly log: (message: string, error?: unknown) => void
}

interface Seed {
  readonly forge: Forge
  readonly login: string
}

const backOffMs = [1000, 5000, 30_000, 120_000, 600_000]

/**
 * Decides who may deploy besides the owner, by forge and by the forge's own number. The operator lists logins. Each is
 * looked up at its forge once and never again, so that a login which is renamed or gets a new owner changes nothing
 * later.
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

  /**
   * Looks up listed logins that are not resolved yet, with growing waits, until there are none or the signal aborts.
   */
  async seed(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await Promise.all((await this.unasked()).map((one) => this.look(one, attempt === 0)))
        if ((await this.unasked()).length === 0) return
      } catch (error) {
        this.parts.log('Who may deploy could not be read; it is tried again.', error)
      }
      const pause = backOffMs[Math.min(attempt, backOffMs.length - 1)]
      // An aborted wait rejects, and the loop ends by its condition.
      await setTimeout(pause, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Resolves a listed login when its person signs in, since the forge has just confirmed it. */
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

  /**
   * The listed logins that must be looked up. At forges that cannot look up logins they are resolved when their person
   * signs in.
   */
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
      // It is logged only the first time, because it is tried again without end.
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

/**
 * The forge and lower-case login of a listed entry. `ann` alone means the first forge where people sign in. Undefined:
 * no forge matches.
 */
export function forgeOf(listed: string, forges: readonly Forge[]): Seed | undefined {
  const written = listed.toLowerCase()
  const [host, login = ''] = written.includes('/') ? written.split('/') : [undefined, written]
  const possible = forges.filter(({ entry }) => forgeTraits[entry.kind].signsIn)
  const forge = host === undefined ? possible[0] : forgeAt(possible, host)
  return forge && login !== '' ? { forge, login } : undefined
}
