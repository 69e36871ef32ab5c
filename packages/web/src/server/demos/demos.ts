import type { Slices } from '@origami/host/slices'
import type { DemoCard, DemoDetail, DemoPage, demoSorts } from '@origami/protocol/control'
import { demoSchema } from '@origami/protocol/demo'
import { randomSecret } from '../secrets.ts'
import type { AccountRow, Db, DemoRow } from '../store/open.ts'

export interface Owned extends DemoRow {
  readonly handle: string
}

export type Sort = (typeof demoSorts)[number]

/** The demos as the web server knows them: whose they are, where they are, and what the daemon last said of them. */
export class Demos {
  private readonly db: Db

  constructor(db: Db) {
    this.db = db
  }

  async at(account: string, name: string): Promise<Owned | undefined> {
    return this.all()
      .where('accounts.handle', '=', account.toLowerCase())
      .where('demos.name', '=', name.toLowerCase())
      .executeTakeFirst()
  }

  async byId(id: string): Promise<Owned | undefined> {
    return this.all().where('demos.id', '=', id).executeTakeFirst()
  }

  /** The demo that had this address before, where no other has it now. */
  async formerlyAt(account: string, name: string): Promise<Owned | undefined> {
    return this.all()
      .innerJoin('former_addresses', 'former_addresses.demo', 'demos.id')
      .innerJoin('accounts as former', 'former.id', 'former_addresses.account')
      .where('former.handle', '=', account.toLowerCase())
      .where('former_addresses.name', '=', name.toLowerCase())
      .executeTakeFirst()
  }

  /** Those of which the daemon is not known to know. */
  async undeployed(): Promise<{ id: string }[]> {
    return this.db.selectFrom('demos').select('id').where('state', '=', 'undeployed').execute()
  }

  async ofAccount(account: AccountRow, { onlyPublic }: { onlyPublic: boolean }): Promise<Owned[]> {
    return this.all()
      .where('demos.account', '=', account.id)
      .$if(onlyPublic, (query) => query.where('demos.public', '=', 1))
      .orderBy('demos.created_at', 'desc')
      .execute()
  }

  /** Public ones that were deployed, by words in their title, description, name or account. */
  async public(words: string, sort: Sort): Promise<Owned[]> {
    const pattern = `%${words.toLowerCase().replaceAll(/[%_]/g, '')}%`
    const query = this.all()
      .where('demos.public', '=', 1)
      .where('demos.state', '!=', 'undeployed')
      .$if(words !== '', (all) =>
        all.where((eb) =>
          eb.or(
            (['demos.title', 'demos.description', 'demos.name', 'accounts.handle'] as const).map((column) =>
              eb(eb.fn('lower', [column]), 'like', pattern),
            ),
          ),
        ),
      )
    if (sort === 'name') return query.orderBy('demos.title').execute()
    return query.orderBy(sort === 'used' ? 'demos.runs' : 'demos.created_at', 'desc').execute()
  }

  /** Adds one, where neither it nor its address is there: else false. Who takes an address ends what led from it to another demo. */
  async add(
    account: AccountRow,
    demo: Pick<DemoRow, 'id' | 'name' | 'link' | 'public' | 'private'> &
      Partial<Pick<DemoRow, 'url' | 'state' | 'title' | 'description'>>,
  ): Promise<boolean> {
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
        .values({ ...fresh, ...demo, account: account.id })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      if (numInsertedOrUpdatedRows === 0n) return false
      await trx.deleteFrom('former_addresses').where('account', '=', account.id).where('name', '=', demo.name).execute()
      return true
    })
  }

  /** Gives one another name; its old address leads to it from now on. False: another demo of its owner's has that name. */
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
        .onConflict((conflict) => conflict.doUpdateSet({ demo: id }))
        .execute()
      await trx.updateTable('demos').set({ name }).where('id', '=', id).execute()
      return true
    })
  }

  async elsewhere(): Promise<Owned[]> {
    return this.all().where('demos.url', 'is not', null).execute()
  }

  async change(
    id: string,
    change: Partial<Pick<DemoRow, 'public' | 'private' | 'state' | 'title' | 'description'>>,
  ): Promise<void> {
    await this.db.updateTable('demos').set(change).where('id', '=', id).execute()
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
  async keepRuns(all: readonly { demo_id: string; runs: number }[], slices: Slices, signal?: AbortSignal): Promise<void> {
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

export const addressOf = (demo: Owned): string => `/${demo.handle}/${demo.name}`

export const presentCard = (demo: Owned): DemoCard => ({
  id: demo.id,
  address: addressOf(demo),
  account: demo.handle,
  name: demo.name,
  title: demo.title,
  description: demo.description,
  state: demo.state,
  public: demo.public === 1,
  runs: demo.runs,
  created_at: demo.created_at,
})

/** A demo's page, for its owner with what the daemon tells. */
export function presentPage(demo: Owned, mine: boolean, detail: NonNullable<DemoPage['detail']> | undefined): DemoPage {
  return {
    ...presentCard(demo),
    ...(detail ? { state: detail.status, runs: detail.runs } : {}),
    ...(detail?.schema ? { title: detail.schema.title, description: detail.schema.description } : {}),
    link: demo.url === null && (mine || demo.private === 0) ? demo.link : null,
    url: demo.url,
    unlisted: mine && demo.public === 0 ? `${addressOf(demo)}?key=${demo.key}` : null,
    commit: detail?.commit ?? demo.commit_sha,
    schema: detail?.schema ?? (demo.schema ? demoSchema.parse(JSON.parse(demo.schema)) : null),
    mine,
    detail: mine ? (detail ?? null) : null,
  }
}
