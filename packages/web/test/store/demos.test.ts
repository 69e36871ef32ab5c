import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Demos } from '../../src/server/store/demos.ts'
import { type Db, openStore } from '../../src/server/store/open.ts'

const ann = { id: 'ann', handle: 'ann', name: null, avatar: null, owner: 0, created_at: '' }

let folder: string
let db: Db
let demos: Demos
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-demos-'))
  db = await openStore(folder)
  await db.insertInto('accounts').values(ann).execute()
  demos = new Demos(db)
})
afterEach(async () => {
  await db.destroy()
  await rm(folder, { recursive: true })
})

describe('what is searched for', () => {
  test.each([
    ['my_demo', ['my_demo']],
    ['_', ['my_demo']],
    ['100 %', ['percent']],
    ['%', ['percent']],
    ['\\', ['slash']],
    ['übersetzer', ['translator']],
    ['ÜBERSETZER', ['translator']],
    ['Écriture', ['writing']],
    ['nobody has this', []],
  ])('%s is found as it is written, in either case', async (searched, names) => {
    await list('my_demo', 'Mine')
    await list('percent', 'Right in 100 % of cases')
    await list('slash', 'Left \\ right')
    await list('translator', 'Ein Übersetzer')
    // The letter is written as two characters, as macOS does.
    await list('writing', 'L’écriture'.normalize('NFD'))
    expect((await demos.public(searched, 'name')).map(({ name }) => name)).toEqual(names)
  })

  test('is in the order of titles, whatever case they begin with', async () => {
    for (const title of ['b', 'A', 'Ä', 'a2']) await list(`demo-${title.codePointAt(0)}-${title.length}`, title)
    expect((await demos.public('', 'name')).map(({ title }) => title)).toEqual(['A', 'a2', 'b', 'Ä'])
  })
})

async function list(name: string, title: string): Promise<void> {
  const demo = { id: name, name, link: `https://github.com/ann/${name}`, public: true, private: false }
  await demos.add({ ...ann, owner: false }, { ...demo, state: 'running', title })
}
