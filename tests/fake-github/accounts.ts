import { randomBytes } from 'node:crypto'

export interface User {
  readonly id: number
  readonly login: string
}

export interface Grant {
  readonly user: User
  readonly scope: string
}

export interface Code extends Grant {
  readonly redirect: string
  readonly challenge: string | null
}

/** Who is known, and what was handed out to whom. */
export class Accounts {
  readonly app = { clientId: 'origami-test', clientSecret: randomBytes(16).toString('hex') }
  private readonly users = new Map<string, User>()
  private readonly codes = new Map<string, Code>()
  private readonly tokens = new Map<string, Grant>()

  user(login: string): User {
    const user = this.users.get(login) ?? { id: 1000 + this.users.size, login }
    this.users.set(login, user)
    return user
  }

  /** Undefined: no account has this login. */
  find(login: string): User | undefined {
    return this.users.get(login)
  }

  /** Gives an account another login. Anybody can take the old one afterwards. */
  rename(login: string, to: string): void {
    const { id } = this.user(login)
    this.users.delete(login)
    this.users.set(to, { id, login: to })
  }

  code(code: Code): string {
    const secret = randomBytes(16).toString('hex')
    this.codes.set(secret, code)
    return secret
  }

  /** The code can be used once. */
  take(code: string): Code | undefined {
    const taken = this.codes.get(code)
    this.codes.delete(code)
    return taken
  }

  token(grant: Grant): string {
    const token = `gho_${randomBytes(18).toString('hex')}`
    this.tokens.set(token, grant)
    return token
  }

  handedOut(): readonly string[] {
    return [...this.tokens.keys()]
  }

  /** Revokes every token so far. */
  revokeAll(): void {
    this.tokens.clear()
  }

  grant(token: string | undefined): Grant | undefined {
    return token === undefined ? undefined : this.tokens.get(token)
  }
}
