import { logger } from '@origami/host/logger'
import type { Slices } from '@origami/host/slices'
import type { DemoDetail, demoSorts, PageState } from '@origami/protocol/control'
import { type DemoSchema, demoSchema } from '@origami/protocol/demo'
import { sql } from 'kysely'
import { randomSecret } from '../secrets.ts'
import type { Account } from './accounts.ts'
import type { Db, DemoRow } from './open.ts'

const log = logger('store')

/** A demo, at its owner's address. */
export interface Owned {
  /** The daemon's; of one that runs elsewhere, ours. */
  readonly id: string
  /** Of its owner. */
  readonly account: string
  readonly handle: string
  readonly name: string
  readonly link: string
  readonly public: boolean
  /** The repository is private: its token is sent with each deploy. */
  readonly private: boolean
  /** In the unlisted link of one that is not public. */
  readonly key: string
  readonly state: PageState
  readonly title: string
  readonly description: string
  readonly runs: number
  readonly commit: string | null
  /** What the daemon said last. Null too where it is of no form that this version knows. */
  readonly schema: DemoSchema | null
  /** Of one that runs elsewhere. */
  readonly url: string | null
  readonly created_at: string
}

type Changeable = Pick<Owned, 'public' | 'private' | 'state' | 'title' | 'description'>
export type NewDemo = Pick<Owned, 'id' | 'name' | 'link' | 'public' | 'private'> &
  Partial<Pick<Owned, 'url' | 'state' | 'title' | 'description'>>

export type Sort = (typeof demoSorts)[number]

/** The demos as the web server knows them: whose they are, where they are, and what the daemon last said of them. */
export class Demos {
  private readonly db: Db

  constructor(db: Db) {
    this.db = db
  }

  async at(account: string, name: string): Promise<Owned | undefined> {
    const row = await this.all()
      .where('accounts.handle', '=', account.toLowerCase())
      .where('demos.name', '=', name.toLowerCase())
      .executeTakeFirst()
    return row && toDemo(row)
  }

  async byId(id: string): Promise<Owned | undefined> {
    const row = await this.all().where('demos.id', '=', id).executeTakeFirst()
    return row && toDemo(row)
  }

  /** The demo that had this address before, where no other has it now. */
  async formerlyAt(account: string, name: string): Promise<Owned | undefined> {
    const row = await this.all()
      .innerJoin('former_addresses', 'former_addresses.demo', 'demos.id')
      .innerJoin('accounts as former', 'former.id', 'former_addresses.account')
      .where('former.handle', '=', account.toLowerCase())
      .where('former_addresses.name', '=', name.toLowerCase())
      .executeTakeFirst()
    return row && toDemo(row)
  }

  /** Those of which the daemon is not known to know. */
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

  /** Public ones that were deployed and have the text in their title, description, name or account. */
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
   * Adds one, where neither it nor its address is there: else false. Who takes an address ends what led from it to
   * another demo.
   */
  async add(account: Account, demo: NewDemo): Promise<boolean> {
    const fresh = {
      state: 'undeployed' as const,
      title: demo.name,
      description: '',
      key: randomSecret().slice(0, 22),
      created_at: new Date().toISOString(),
    }
    return this.db.transaction().execute(async (trx) => {
      const { numInsertedOrUpdatedRows } = await trx
        .insertInto('demos')
        .values({ ...fresh, ...demo, public: Number(demo.public), private: Number(demo.private), account: account.id })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      if (numInsertedOrUpdatedRows === 0n) return false
      await trx.deleteFrom('former_addresses').where('account', '=', account.id).where('name', '=', demo.name).execute()
      return true
    })
  }

  /**
   * Gives one another name; its old address leads to it from now on. False: another demo of its owner's has that name.
   */
  async rename(demo: Owned, name: string): Promise<boolean> {
    const { id, account } = demo
    return this.db.transaction().execute(async (trx) => {
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
    })
  }

  async elsewhere(): Promise<Owned[]> {
    return (await this.all().where('demos.url', 'is not', null).execute()).map(toDemo)
  }

  async change(id: string, change: Partial<Changeable>): Promise<void> {
    await this.db.updateTable('demos').set(stored(change)).where('id', '=', id).execute()
  }

  async remove(id: string): Promise<void> {
    await this.db.deleteFrom('demos').where('id', '=', id).execute()
  }

  /** Keeps what the daemon said, for pages while it is away. */
  async keep(detail: DemoDetail): Promise<void> {
    const { schema } = detail
    await this.db
      .updateTable('demos')
      .set({
        state: detail.status,
        runs: detail.runs,
        commit_sha: detail.commit,
        ...(schema ? { schema: JSON.stringify(schema), title: schema.title, description: schema.description } : {}),
      })
      .where('id', '=', detail.demo_id)
      .execute()
  }

  /** Keeps how often each ran, where that is new. */
  async keepRuns(
    all: readonly { demo_id: string; runs: number }[],
    slices: Slices,
    signal?: AbortSignal,
  ): Promise<void> {
    let from = 0
    await slices.run('runs', signal, async (most) => {
      const some = all.slice(from, from + most)
      for (const { demo_id, runs } of some)
        await this.db.updateTable('demos').set({ runs }).where('id', '=', demo_id).where('runs', '!=', runs).execute()
      from += some.length
      return some.length
    })
  }

  private all() {
    return this.db
      .selectFrom('demos')
      .innerJoin('accounts', 'accounts.id', 'demos.account')
      .selectAll('demos')
      .select('accounts.handle')
  }
}

/** As its row has it. */
function stored<Change extends Partial<Changeable>>({ public: isPublic, private: isPrivate, ...rest }: Change) {
  return {
    ...rest,
    ...(isPublic === undefined ? {} : { public: Number(isPublic) }),
    ...(isPrivate === undefined ? {} : { private: Number(isPrivate) }),
  }
}

const toDemo = ({ commit_sha: commit, schema, ...row }: DemoRow & { readonly handle: string }): Owned => ({
  ...row,
  public: row.public === 1,
  private: row.private === 1,
  commit,
  schema: cachedSchema(schema),
})

/** Read once for many lookups: an address is asked for with each request. */
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
