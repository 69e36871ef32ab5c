import type { DemoId, DemoSchema } from '@origami/protocol/demo'
import type { Changes } from '../changes.ts'
import { demoById, type Route, routes, schemaOf } from '../store/demos.ts'
import type { Db } from '../store/open.ts'
import type { DemoRow } from '../store/tables.ts'

type Routes = ReadonlyMap<DemoId, Route>

export interface KnownDemo {
  readonly demo: DemoRow
  /** Of the version that serves or served last. Undefined: it has not been live yet. */
  readonly schema: DemoSchema | undefined
}

/**
 * What the store says of demos and of where their predictions go, in memory, since every call about a prediction asks
 * for it. It is read anew after each change that `Changes` is told of.
 */
export class KnownDemos {
  private readonly db: Db
  private readonly changed: Changes
  private readonly demos = new Map<DemoId, { version: number; found: Promise<KnownDemo | undefined> }>()
  private routesNow: { version: number; found: Promise<Routes> } | undefined

  constructor(db: Db, changed: Changes) {
    this.db = db
    this.changed = changed
  }

  /** Undefined: there is no such demo. */
  async find(id: DemoId): Promise<KnownDemo | undefined> {
    const version = this.changed.demosVersion
    const known = this.demos.get(id)
    if (known?.version === version) return known.found
    const found = this.read(id)
    this.demos.set(id, { version, found })
    // Neither a failed reading is kept nor an id that a caller made up.
    const forget = () => this.demos.get(id)?.found === found && this.demos.delete(id)
    void found.then((demo) => demo ?? forget(), forget)
    return found
  }

  /** The route of every demo that has one. */
  async routes(): Promise<Routes> {
    const version = this.changed.demosVersion
    if (this.routesNow?.version === version) return this.routesNow.found
    const found = routes(this.db)
    this.routesNow = { version, found }
    found.catch(() => {
      if (this.routesNow?.found === found) this.routesNow = undefined
    })
    return found
  }

  private async read(id: DemoId): Promise<KnownDemo | undefined> {
    const demo = await demoById(this.db, id)
    return demo && { demo, schema: await schemaOf(this.db, demo) }
  }
}
