import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { runCompiled } from '../../src/store/compiled.ts'
import type { Db } from '../../src/store/open.ts'
import { addedDemo, demo, openInMemory } from './in-memory.ts'

let db: Db
beforeEach(async () => {
  db = await openInMemory()
  await addedDemo(db)
})
afterEach(() => db.destroy())

test('a statement is made once for its shape, and run with the parameters of each call', async () => {
  const make = vi.fn(() => db.selectFrom('demos').select('user_id').where('id', '=', demo).where('want', '=', 'on'))
  const found = async (want: string) => (await runCompiled(db, 'a demo', [demo, want], make)).rows
  expect([await found('on'), await found('stopped'), await found('on')]).toEqual([
    [{ user_id: 'ann' }],
    [],
    [{ user_id: 'ann' }],
  ])
  expect(make).toHaveBeenCalledOnce()
})

test('parameters in another order than in the statement are refused at its first run, and are never run', async () => {
  const make = () => db.selectFrom('demos').select('user_id').where('id', '=', demo).where('want', '=', 'on')
  for (const parameters of [['on', demo], [demo]])
    await expect(runCompiled(db, 'another order', parameters, make)).rejects.toThrow('in their order')
})
