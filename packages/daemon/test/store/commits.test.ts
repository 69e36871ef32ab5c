import type { DemoId } from '@origami/protocol/demo'
import Database from 'better-sqlite3'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Commits } from '../../src/store/commits.ts'
import { demoById, wantDemo } from '../../src/store/demos.ts'
import type { Db, Trx } from '../../src/store/open.ts'
import { openInMemory } from './in-memory.ts'

let db: Db
let commits: Commits
beforeEach(async () => {
  db = await openInMemory()
  commits = new Commits(db)
})
afterEach(() => db.destroy())

const statement: Database.Statement = Object.getPrototypeOf(new Database(':memory:').prepare('select 1'))
const adding = (name: string) => async (trx: Trx) => {
  const id = name.padEnd(32, '0')
  await wantDemo(trx, { id: id as DemoId, user_id: 'ann', repolink: `https://folder.test/ann/${name}` }, 'now')
  return name
}
const failing = async (trx: Trx) => {
  await adding('half')(trx)
  throw new Error('no such row')
}
const names = async (trx: Trx = db) =>
  (await trx.selectFrom('demos').select('repolink').execute()).map(({ repolink }) => repolink.split('/').at(-1))

test('writes of one turn are one transaction, and each gets what it returned', async () => {
  const run = vi.spyOn(statement, 'run')
  try {
    expect(await Promise.all(['a', 'b', 'c'].map((name) => commits.run(adding(name))))).toEqual(['a', 'b', 'c'])
    const texts = run.mock.contexts.map((context) => (context as Database.Statement).source)
    expect(texts.filter((text) => text === 'commit')).toHaveLength(1)
  } finally {
    run.mockRestore()
  }
  expect(await names()).toEqual(['a', 'b', 'c'])
})

test('one that fails fails alone, and leaves nothing', async () => {
  const results = await Promise.allSettled([adding('a'), failing, adding('b')].map((write) => commits.run(write)))
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(results[1]).toMatchObject({ reason: new Error('no such row') })
  expect(await names()).toEqual(['a', 'b'])
})

test('what is written while others are stored comes after them', async () => {
  const first = commits.run(adding('a'))
  const second = commits.run(async (trx) => {
    const third = commits.run(adding('c'))
    await adding('b')(trx)
    return { third }
  })
  await first
  await (await second).third
  expect(await names()).toEqual(['a', 'b', 'c'])
})

test('nobody is told before it is stored, and all are when the database fails', async () => {
  vi.spyOn(db, 'transaction').mockImplementation(() => {
    throw new Error('the disk is full')
  })
  const failed = await Promise.allSettled([commits.run(adding('a')), commits.run(adding('b'))])
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  vi.restoreAllMocks()
  expect(await commits.run(adding('c'))).toBe('c')
  expect(await names()).toEqual(['c'])
})

test('the runs of one commit are counted together, and none of a write that failed', async () => {
  await commits.run(adding('a'))
  const id = 'a'.padEnd(32, '0') as DemoId
  const running = async (_trx: Trx, ran: (demo: DemoId) => void) => ran(id)
  const updates = vi.spyOn(db, 'transaction')
  await Promise.all([running, running, running].map((write) => commits.run(write)))
  expect(updates).toHaveBeenCalledOnce()
  expect((await demoById(db, id))?.runs).toBe(3)
  const failed = async (trx: Trx, ran: (demo: DemoId) => void) => {
    ran(id)
    await failing(trx)
  }
  await Promise.allSettled([commits.run(failed), commits.run(running)])
  expect((await demoById(db, id))?.runs).toBe(4)
})

describe('what can be stored later', () => {
  test('is stored before what comes in order after it', async () => {
    commits.later(1, adding('late'))
    expect(await commits.inOrder(names)).toEqual(['late'])
  })

  test('is stored by itself, the last of each key and nothing that was forgotten', async () => {
    for (const name of ['a', 'b']) commits.later(1, adding(name))
    commits.later(2, adding('c'))
    commits.forget(2)
    await vi.waitFor(async () => expect(await names()).toEqual(['b']))
  })

  test('and could not be stored is tried again', async () => {
    const write = vi.fn(adding('late')).mockRejectedValueOnce(new Error('the disk is full'))
    commits.later(1, write)
    await commits.flush()
    expect(await names()).toEqual([])
    await commits.flush()
    expect(await names()).toEqual(['late'])
  })
})

describe('on a full disk', () => {
  let isFull: boolean
  const bounded = async (pages: number) => sql`PRAGMA max_page_count = ${sql.lit(pages)}`.execute(db)
  beforeEach(async () => {
    isFull = true
    const { rows } = await sql<{ page_count: number }>`PRAGMA page_count`.execute(db)
    await bounded(rows[0]?.page_count ?? 0)
  })
  const large = (name: string) => async (trx: Trx) => {
    const id = name.padEnd(32, '0') as DemoId
    await wantDemo(trx, { id, user_id: 'a'.repeat(100_000), repolink: `https://folder.test/ann/${name}` }, 'now')
    return name
  }

  test('what has to be kept is stored once there is room, and what need not be is refused', async () => {
    const keeping = new Commits(db, {
      onFull: async () => {
        if (isFull) await bounded(100_000)
        isFull = false
      },
    })
    await expect(keeping.run(large('refused'))).rejects.toMatchObject({ code: 'SQLITE_FULL' })
    expect(await names()).toEqual([])
    expect(await Promise.all([keeping.keep(large('a')), keeping.keep(large('b'))])).toEqual(['a', 'b'])
    expect((await names()).toSorted()).toEqual(['a', 'b'])
  })

  test('a daemon that leaves does not wait for room', async () => {
    const leaving = new AbortController()
    const keeping = new Commits(db, { leaving: leaving.signal, onFull: async () => leaving.abort() })
    await expect(keeping.keep(large('a'))).rejects.toMatchObject({ code: 'SQLITE_FULL' })
  })
})
