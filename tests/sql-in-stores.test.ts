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

test.each(['packages/daemon/src', 'packages/web/src/server'])('all SQL of %s is in its store', async (folder) => {
  expect(await outsideOfStores(folder)).toEqual([])
})
