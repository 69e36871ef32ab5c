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

/** Demos that run on somebody's own server have its address. */
const elsewhere: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`ALTER TABLE demos ADD COLUMN url text`.execute(db)
  },
}

export const migrations: MigrationProvider = { getMigrations: async () => ({ '001-first': first, '002-elsewhere': elsewhere }) }
