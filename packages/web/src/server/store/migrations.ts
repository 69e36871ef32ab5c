import { type Kysely, sql } from 'kysely'
import type { Migration, MigrationProvider } from 'kysely/migration'

const tables = [
  `accounts (id text PRIMARY KEY, handle text NOT NULL UNIQUE, name text, avatar text, owner integer NOT NULL DEFAULT 0, created_at text NOT NULL)`,
  `identities (forge text NOT NULL, subject text NOT NULL, account text NOT NULL REFERENCES accounts(id), login text NOT NULL, token blob NOT NULL,
    scope text NOT NULL, PRIMARY KEY (forge, subject))`,
  `sessions (hash text PRIMARY KEY, account text NOT NULL REFERENCES accounts(id), created_at text NOT NULL)`,
  `oauth_states (hash text PRIMARY KEY, visitor text NOT NULL, forge text NOT NULL, verifier text NOT NULL, scope text NOT NULL,
    return_to text NOT NULL, expires_at text NOT NULL)`,
  `tokens (id text PRIMARY KEY, account text NOT NULL REFERENCES accounts(id), name text NOT NULL, hash text NOT NULL UNIQUE,
    created_at text NOT NULL, used_at text)`,
  `demos (id text PRIMARY KEY, account text NOT NULL REFERENCES accounts(id), name text NOT NULL, link text NOT NULL, public integer NOT NULL,
    private integer NOT NULL, "key" text NOT NULL, state text NOT NULL, title text NOT NULL, description text NOT NULL, runs integer NOT NULL DEFAULT 0,
    commit_sha text, "schema" text, created_at text NOT NULL, UNIQUE (account, name))`,
  `settings (name text PRIMARY KEY, value text NOT NULL)`,
]

const first: Migration = {
  async up(db: Kysely<unknown>) {
    for (const table of tables) await sql`CREATE TABLE ${sql.raw(table)}`.execute(db)
  },
}

/** Adds the URL of demos that run on somebody's own server. */
const elsewhere: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`ALTER TABLE demos ADD COLUMN url text`.execute(db)
  },
}

/**
 * Adds programs that ask to sign in, those who may deploy by the forge's own number, earlier addresses of demos, and an
 * index for every query.
 */
const healing: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of [
      `CREATE TABLE device_codes (hash text PRIMARY KEY, user_hash text NOT NULL UNIQUE, host text NOT NULL, agent text NOT NULL, address text NOT NULL,
        state text NOT NULL, account text REFERENCES accounts(id), asked_at text, expires_at text NOT NULL)`,
      `CREATE INDEX device_codes_expire ON device_codes (expires_at)`,
      `CREATE TABLE deployers (forge text NOT NULL, subject text NOT NULL, PRIMARY KEY (forge, subject))`,
      `CREATE TABLE deployer_seeds (forge text NOT NULL, login text NOT NULL, PRIMARY KEY (forge, login))`,
      `CREATE TABLE former_addresses (account text NOT NULL REFERENCES accounts(id), name text NOT NULL,
        demo text NOT NULL REFERENCES demos(id) ON DELETE CASCADE, PRIMARY KEY (account, name))`,
      `CREATE INDEX former_addresses_demo ON former_addresses (demo)`,
      `CREATE INDEX sessions_created ON sessions (created_at)`,
      `CREATE INDEX oauth_states_expire ON oauth_states (expires_at)`,
      `CREATE INDEX tokens_account ON tokens (account, created_at)`,
      `CREATE INDEX identities_account ON identities (account, forge)`,
      `CREATE INDEX demos_url ON demos (url) WHERE url IS NOT NULL`,
    ])
      await sql.raw(statement).execute(db)
  },
}

/** Adds whether pages of other sites may run a demo, which its owner may end. */
const crossOrigin: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`ALTER TABLE demos ADD COLUMN cross_origin integer NOT NULL DEFAULT 1`.execute(db)
  },
}

/**
 * Adds the audit log, of which no row is ever changed, what a token may do and until when, and where a session began.
 * A token of before may do what it could.
 */
const accountability: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of [
      `CREATE TABLE audit (seq integer PRIMARY KEY AUTOINCREMENT, at text NOT NULL, account text, handle text, by text NOT NULL, address text,
        request text, action text NOT NULL, object text, before text, after text, failure text)`,
      `CREATE INDEX audit_at ON audit (at)`,
      `CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'a row of the audit log is never changed'); END`,
      `ALTER TABLE tokens ADD COLUMN scopes text NOT NULL DEFAULT 'run deploy admin'`,
      `ALTER TABLE tokens ADD COLUMN expires_at text`,
      `ALTER TABLE sessions ADD COLUMN agent text`,
      `ALTER TABLE sessions ADD COLUMN address text`,
      `CREATE TABLE owner_links (hash text PRIMARY KEY, expires_at text NOT NULL)`,
      `CREATE INDEX sessions_account ON sessions (account, created_at)`,
    ])
      await sql.raw(statement).execute(db)
  },
}

export const migrations: MigrationProvider = {
  getMigrations: async () => ({
    '001-first': first,
    '002-elsewhere': elsewhere,
    '003-healing': healing,
    '004-cross-origin': crossOrigin,
    '005-accountability': accountability,
  }),
}
