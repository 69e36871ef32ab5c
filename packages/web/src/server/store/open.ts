import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openSqlite } from '@origami/host/sqlite'
import type { PageState } from '@origami/protocol/control'
import type { Generated, Kysely, Selectable, Transaction } from 'kysely'
import { migrations } from './migrations.ts'

/** Times are ISO 8601 in UTC. Secrets are stored as hashes, or encrypted. */
export interface Tables {
  accounts: {
    id: string
    handle: string
    name: string | null
    avatar: string | null
    owner: Generated<number>
    created_at: string
  }
  identities: { forge: string; subject: string; account: string; login: string; token: Uint8Array; scope: string }
  sessions: {
    hash: string
    account: string
    created_at: string
    /** The browser and the address that it began in. Null: it began before these were stored. */
    agent: string | null
    address: string | null
  }
  oauth_states: {
    hash: string
    visitor: string
    forge: string
    verifier: string
    scope: string
    return_to: string
    expires_at: string
  }
  /** Programs that asked to sign in. */
  device_codes: {
    hash: string
    user_hash: string
    host: string
    agent: string
    address: string
    state: 'pending' | 'allowed' | 'denied' | 'used'
    account: string | null
    asked_at: string | null
    expires_at: string
  }
  /** Who may deploy, by the forge's own number. */
  deployers: { forge: string; subject: string }
  /** Logins that the operator listed and that were looked up, each once. */
  deployer_seeds: { forge: string; login: string }
  /** Earlier names of demos. */
  former_addresses: { account: string; name: string; demo: string }
  /** One-time links that sign in the owner of this server. */
  owner_links: { hash: string; expires_at: string }
  tokens: {
    id: string
    account: string
    name: string
    hash: string
    created_at: string
    used_at: string | null
    /** Separated by spaces. */
    scopes: Generated<string>
    /** Null: never. */
    expires_at: string | null
  }
  demos: {
    /** The daemon's id. A demo that runs elsewhere has an id made here. */
    id: string
    account: string
    name: string
    link: string
    public: number
    /** Whether the repository is private. Then its owner's token is sent with each deploy. */
    private: number
    /** The secret in the link of an unlisted demo. */
    key: string
    state: PageState
    title: string
    description: string
    runs: Generated<number>
    commit_sha: string | null
    schema: string | null
    /** The URL of a demo that runs elsewhere. */
    url: string | null
    /** Whether pages of other sites may run it. */
    cross_origin: Generated<number>
    created_at: string
  }
  settings: { name: string; value: string }
  /** What was done here, by whom. A trigger keeps every row as it was written. */
  audit: {
    seq: Generated<number>
    at: string
    /** The id and the handle of the account. Null: nobody who is signed in. */
    account: string | null
    handle: string | null
    by: string
    address: string | null
    request: string | null
    action: string
    object: string | null
    /** JSON. */
    before: string | null
    after: string | null
    failure: string | null
  }
}

export type AccountRow = Selectable<Tables['accounts']>
export type DemoRow = Selectable<Tables['demos']>
export type Db = Kysely<Tables>
/** What is done in a transaction of somebody else. */
export type InTransaction = (trx: Transaction<Tables>) => Promise<void>

/** The database's file in the state folder of the web server. */
const file = 'web.db'

/** Whether a web server has run with this state folder. */
export const hasStore = (folder: string): boolean => existsSync(join(folder, file))

export const openStore = (folder: string): Promise<Db> =>
  openSqlite<Tables>(join(folder, file), { migrations, durable: false })
