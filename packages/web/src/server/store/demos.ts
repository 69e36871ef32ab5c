import { logger } from '@origami/host/logger'
import type { Slices } from '@origami/host/slices'
import type { DemoDetail, demoSorts, PageState } from '@origami/protocol/control'
import { type DemoSchema, demoSchema } from '@origami/protocol/demo'
import { sql, type Transaction } from 'kysely'
import { randomSecret } from '../secrets.ts'
import type { Account } from './accounts.ts'
import type { Db, DemoRow, InTransaction, Tables } from './open.ts'

const log = logger('store')

/** A demo with the address and account of its owner. */
export interface Owned {
  /** The daemon's id. A demo that runs elsewhere has an id made here. */
  readonly id: string
  /** The owner's account. */
  readonly account: string
  readonly handle: string
  readonly name: string
  readonly link: string
  readonly public: boolean
  /** Whether the repository is private. Then its owner's token is sent with each deploy. */
  readonly private: boolean
  /** The secret in the link of an unlisted demo. */
  readonly key: string
  readonly state: PageState
  readonly title: string
  readonly description: string
  readonly runs: number
  readonly commit: string | null
  /** The schema that the daemon last reported. Null when there is none, or when its form is unknown to this version. */
  readonly schema: DemoSchema | null
  /** The URL of a demo that runs elsewhere. */
  readonly url: string | null
  /** Whether pages of other sites may run it. */
  readonly crossOrigin: boolean
  readonly created_at: string
}

type Changeable = Pick<Owned, 'public' | 'private' | 'crossOrigin' | 'state' | 'title' | 'description'>
export type NewDemo = Pick<Owned, 'id' | 'name' | 'link' | 'public' | 'private'> &
  Partial<Pick<Owned, 'url' | 'state' | 'title' | 'description'>>

export type Sort = (typeof demoSorts)[number]

/** The demos as the web server stores them: their owners, their addresses, and what the daemon last reported. */
export class Demos {
  private readonly db: Db
  /** By address, of those that were looked up since the last change: every request names one. */
  private readonly found = new Map<string, Owned>()
  private changes = 0

  constructor(db: Db) {
    this.db = db
  }

  /** The demo at an address that was looked up since the last change. */
  knownAt(account: string, name: string): Owned | undefined {
    return this.found.get(`${account.toLowerCase()}/${name.toLowerCase()}`)
  }

  async at(account: string, name: string): Promise<Owned | undefined> {
    const known = this.knownAt(account, name)
    if (known) return known
    const [handle, lower] = [account.toLowerCase(), name.toLowerCase()]
    const { changes } = this
    const row = await this.all()
      .where('accounts.handle', '=', handle)
      .where('demos.name', '=', lower)
      .executeTakeFirst()
    const demo = row && toDemo(row)
    if (!demo || changes !== this.changes) return demo
    if (this.found.size >= mostFound) this.found.clear()
    this.found.set(`${handle}/${lower}`, demo)
    return demo
  }

  async byId(id: string): Promise<Owned | undefined> {
    const row = await this.all().where('demos.id', '=', id).executeTakeFirst()
    return row && toDemo(row)
  }

  /** The demo that had this address before, if no other one has it now. */
  async formerlyAt(account: string, name: string): Promise<Owned | undefined> {
    const row = await this.all()
      .innerJoin('former_addresses', 'former_addresses.demo', 'demos.id')
      .innerJoin('accounts as former', 'former.id', 'former_addresses.account')
      .where('former.handle', '=', account.toLowerCase())
      .where('former_addresses.name', '=', name.toLowerCase())
      .executeTakeFirst()
    return row && toDemo(row)
  }

  /** The demos that the daemon may not know of. */
  async undeployed(): Promise<{ id: string }[]> {
    return this.db.selectFrom('demos').select('id').where('state', '=', 'undeployed').execute()
  }

  async byAccount(account: Account, { onlyPublic }: { onlyPublic: boolean }): Promise<Owned[]> {
    const rows = await this.all()
      .where('demos.account', '=', account.id)
      .$if(onlyPublic, (query) => query.where('demos.public', '=', 1))
      .orderBy('demos.created_at', 'desc')
      .execute()
    return rows.map(toDemo)
  }

  /** Public demos that were deployed and have the text in their title, description, name or account. */
  async public(searched: string, sort: Sort): Promise<Owned[]> {
    const pattern = `%${searched.replaceAll(/[%_\\]/g, '\\$&')}%`
    const query = this.all()
      .where('demos.public', '=', 1)
      .where('demos.state', '!=', 'undeployed')
      .$if(searched !== '', (all) =>
        all.where((eb) =>
          eb.or(
            (['demos.title', 'demos.description', 'demos.name', 'accounts.handle'] as const).map(
              (column) => sql<boolean>`lower(${eb.ref(column)}) LIKE lower(${pattern}) ESCAPE '\\'`,
            ),
          ),
        ),
      )
    const ordered =
      sort === 'name'
        ? query.orderBy((eb) => eb.fn('lower', ['demos.title']))
        : query.orderBy(sort === 'used' ? 'demos.runs' : 'demos.created_at', 'desc')
    return (await ordered.execute()).map(toDemo)
  }

  /**
   * Adds a demo. False: it exists, or its address is taken. A new demo at an address ends the redirect that was there.
   */
  async add(account: Account, demo: NewDemo): Promise<boolean> {
    const fresh = {
      state: 'undeployed' as const,
      title: demo.name,
      description: '',
      key: newKey(),
      created_at: new Date().toISOString(),
    }
    return this.changing((db) =>
      db.transaction().execute(async (trx) => {
        const { numInsertedOrUpdatedRows } = await trx
          .insertInto('demos')
          .values({
            ...fresh,
            ...demo,
            public: Number(demo.public),
            private: Number(demo.private),
            account: account.id,
          })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst()
        if (numInsertedOrUpdatedRows === 0n) return false
        await trx
          .deleteFrom('former_addresses')
          .where('account', '=', account.id)
          .where('name', '=', demo.name)
          .execute()
        return true
      }),
    )
  }

  /** Renames a demo. Its old address redirects to it from now on. False: another demo of its owner has that name. */
  async rename(demo: Owned, name: string): Promise<boolean> {
    return this.changing((db) => db.transaction().execute((trx) => renameIn(trx, demo, name)))
  }

  /**
   * Renames a demo and changes what its owner may, and does more in that transaction. False: nothing of it was done, as
   * another demo of its owner has that name.
   */
  async edit(
    demo: Owned,
    { name, ...change }: { readonly name?: string; readonly public?: boolean; readonly crossOrigin?: boolean },
    more: InTransaction,
  ): Promise<boolean> {
    return this.changing((db) =>
      db.transaction().execute(async (trx) => {
        if (name !== undefined && !(await renameIn(trx, demo, name))) return false
        if (Object.keys(change).length > 0)
          await trx.updateTable('demos').set(stored(change)).where('id', '=', demo.id).execute()
        await more(trx)
        return true
      }),
    )
  }

  async elsewhere(): Promise<Owned[]> {
    return (await this.all().where('demos.url', 'is not', null).execute()).map(toDemo)
  }

  async change(id: string, change: Partial<Changeable>): Promise<void> {
    await this.changing((db) => db.updateTable('demos').set(stored(change)).where('id', '=', id).execute())
  }

  /** Ends the unlisted link of a demo, and what it let in, and does more in that transaction. */
  async renewKey(id: string, more?: InTransaction): Promise<void> {
    await this.changing((db) =>
      db.transaction().execute(async (trx) => {
        await trx.updateTable('demos').set({ key: newKey() }).where('id', '=', id).execute()
        await more?.(trx)
      }),
    )
  }

  /** Removes a demo, and does more in that transaction. */
  async remove(id: string, more?: InTransaction): Promise<void> {
    await this.changing((db) =>
      db.transaction().execute(async (trx) => {
        await trx.deleteFrom('demos').where('id', '=', id).execute()
        await more?.(trx)
      }),
    )
  }

  /** Stores what the daemon said, for pages while it is away. */
  async keep(detail: DemoDetail): Promise<void> {
    const { schema } = detail
    await this.changing((db) =>
      db
        .updateTable('demos')
        .set({
          state: detail.status,
          runs: detail.runs,
          commit_sha: detail.commit,
          ...(schema ? { schema: JSON.stringify(schema), title: schema.title, description: schema.description } : {}),
        })
        .where('id', '=', detail.demo_id)
        .execute(),
    )
  }

  /** Stores how often each demo ran, where the number changed. */
  async keepRuns(
    all: readonly { demo_id: string; runs: number }[],
    slices: Slices,
    signal?: AbortSignal,
  ): Promise<void> {
    let from = 0
    await slices.run('runs', signal, async (most) => {
      const some = all.slice(from, from + most)
      for (const { demo_id, runs } of some)
        await this.changing((db) =>
          db.updateTable('demos').set({ runs }).where('id', '=', demo_id).where('runs', '!=', runs).execute(),
        )
      from += some.length
      return some.length
    })
  }

  /** What was read before or during a change is not kept. */
  private async changing<Result>(write: (db: Db) => Promise<Result>): Promise<Result> {
    try {
      return await write(this.db)
    } finally {
      this.changes += 1
      this.found.clear()
    }
  }

  private all() {
    return this.db
      .selectFrom('demos')
      .innerJoin('accounts', 'accounts.id', 'demos.account')
      .selectAll('demos')
      .select('accounts.handle')
  }
}

const newKey = (): string => randomSecret().slice(0, 22)

async function renameIn(trx: Transaction<Tables>, demo: Owned, name: string): Promise<boolean> {
  const { id, account } = demo
  const taken = await trx
    .selectFrom('demos')
    .select('id')
    .where('account', '=', account)
    .where('name', '=', name)
    .executeTakeFirst()
  if (taken) return taken.id === id
  await trx.deleteFrom('former_addresses').where('account', '=', account).where('name', '=', name).execute()
  await trx
    .insertInto('former_addresses')
    .values({ account, name: demo.name, demo: id })
    .onConflict((conflict) => conflict.columns(['account', 'name']).doUpdateSet({ demo: id }))
    .execute()
  await trx.updateTable('demos').set({ name }).where('id', '=', id).execute()
  return true
}

/** A change in the form of the table. */
function stored<Change extends Partial<Changeable>>(change: Change) {
  const { public: isPublic, private: isPrivate, crossOrigin, ...rest } = change
  return {
    ...rest,
    ...(crossOrigin === undefined ? {} : { cross_origin: Number(crossOrigin) }),
    ...(isPublic === undefined ? {} : { public: Number(isPublic) }),
    ...(isPrivate === undefined ? {} : { private: Number(isPrivate) }),
  }
}

type Row = DemoRow & { readonly handle: string }

const toDemo = ({ commit_sha: commit, schema, cross_origin: crossOrigin, ...row }: Row): Owned => ({
  ...row,
  crossOrigin: crossOrigin === 1,
  public: row.public === 1,
  private: row.private === 1,
  commit,
  schema: cachedSchema(schema),
})

const mostFound = 1000

/** Parsed once for many lookups, because each request looks up an address. */
const known = new Map<string, DemoSchema | null>()
const mostKnown = 500

function cachedSchema(text: string | null): DemoSchema | null {
  if (text === null) return null
  const read = known.get(text)
  if (read !== undefined) return read
  if (known.size >= mostKnown) known.clear()
  const schema = parsedSchema(text)
  known.set(text, schema)
  return schema
}

function parsedSchema(text: string): DemoSchema | null {
  try {
    return demoSchema.parse(JSON.parse(text))
  } catch (error) {
    log.error('A stored schema cannot be read; its demo has none until the daemon tells it again.', error)
    return null
  }
}
