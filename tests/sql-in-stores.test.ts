import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
/** How a statement begins: of Kysely's, or of SQLite's own. */
const statement = /\.(selectFrom|insertInto|updateTable|deleteFrom|prepare)\(|\bsql`|\bsql\.raw\(/

/** Files of a folder that make statements and are in no `store/`. */
async function outsideOfStores(folder: string): Promise<string[]> {
  const names = (await readdir(join(root, folder), { recursive: true })).filter((name) => name.endsWith('.ts'))
  const found = names.map(async (name) => {
    const isOne = !name.startsWith('store/') && statement.test(await readFile(join(root, folder, name), 'utf8'))
    return isOne ? [name] : []
  })
  return (await Promise.all(found)).flat().toSorted()
}

test('all SQL of the web server is in its store, but for the list of who may deploy, which has not moved yet', async () => {
  const outside = await outsideOfStores('packages/web/src/server')
  expect(outside.filter((name) => name !== 'accounts/deployer-list.ts')).toEqual([])
})

/** What of the daemon has not moved yet. Nothing comes to this list. */
const notYet = ['deploy/control.ts', 'deploy/serving.ts', 'upkeep/good-versions.ts', 'upkeep/interrupted.ts', 'upkeep/revive.ts']

test('no more files of the daemon than those that are listed have SQL outside of its store', async () => {
  expect((await outsideOfStores('packages/daemon/src')).filter((name) => !notYet.includes(name))).toEqual([])
})

test('the store of the daemon imports nothing of the queue, which stands on it', async () => {
  const folder = join(root, 'packages/daemon/src/store')
  const sources = (await readdir(folder)).map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)
  const importing = (await Promise.all(sources)).filter(([, source]) => source.includes("from '../predictions/"))
  expect(importing.map(([name]) => name)).toEqual([])
})
