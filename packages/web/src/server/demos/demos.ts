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

  async byLink(account: AccountRow, link: string): Promise<Owned | undefined> {
    return this.all().where('demos.account', '=', account.id).where('demos.link', '=', link).executeTakeFirst()
  }

  async ofAccount(account: AccountRow, { onlyPublic }: { onlyPublic: boolean }): Promise<Owned[]> {
    return this.all()
      .where('demos.account', '=', account.id)
      .$if(onlyPublic, (query) => query.where('demos.public', '=', 1))
      .orderBy('demos.created_at', 'desc')
      .execute()
  }

  /** Public ones that have been live, by words in their title, description, name or account. */
  async public(words: string, sort: Sort): Promise<Owned[]> {
    const pattern = `%${words.toLowerCase().replaceAll(/[%_]/g, '')}%`
    const query = this.all()
      .where('demos.public', '=', 1)
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

  async add(
    account: AccountRow,
    demo: Pick<DemoRow, 'id' | 'name' | 'link' | 'public' | 'private'> &
      Partial<Pick<DemoRow, 'url' | 'state' | 'title' | 'description'>>,
  ): Promise<void> {
    const fresh = {
      state: 'waiting' as const,
      title: demo.name,
      description: '',
      key: randomSecret().slice(0, 22),
      created_at: new Date().toISOString(),
    }
    await this.db
      .insertInto('demos')
      .values({ ...fresh, ...demo, account: account.id })
      .execute()
  }

  async elsewhere(): Promise<Owned[]> {
    return this.all().where('demos.url', 'is not', null).execute()
  }

  async change(
    id: string,
    change: Partial<Pick<DemoRow, 'name' | 'public' | 'private' | 'state' | 'title' | 'description'>>,
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
    link: demo.url === null && (mine || demo.private === 0) ? demo.link : null,
    url: demo.url,
    unlisted: mine && demo.public === 0 ? `${addressOf(demo)}?key=${demo.key}` : null,
    commit: detail?.commit ?? demo.commit_sha,
    schema: detail?.schema ?? (demo.schema ? demoSchema.parse(JSON.parse(demo.schema)) : null),
    mine,
    detail: mine ? (detail ?? null) : null,
  }
}
