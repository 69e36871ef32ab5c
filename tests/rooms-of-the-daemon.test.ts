import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const source = join(import.meta.dirname, '../packages/daemon/src')

/** What a room may import of the rooms that hold what a daemon does: each arrow runs one way. */
const mayImport: Record<string, readonly string[]> = {
  api: ['upkeep', 'deploy', 'predictions', 'store'],
  upkeep: ['deploy', 'predictions', 'store'],
  deploy: ['store'],
  predictions: ['store'],
  store: [],
}

/** The rooms that the files of a room import. */
async function importedBy(room: string): Promise<string[]> {
  const names = (await readdir(join(source, room), { recursive: true })).filter((name) => name.endsWith('.ts'))
  const texts = await Promise.all(names.map((name) => readFile(join(source, room, name), 'utf8')))
  const found = texts.flatMap((text) =>
    [...text.matchAll(/(?:from|import\() ?'\.\.\/([a-z-]+)\//g)].map(([, other = '']) => other),
  )
  return [...new Set(found)].filter((other) => other in mayImport)
}

test.each(Object.entries(mayImport))(
  '%s of the daemon imports no other room of these than %j',
  async (room, allowed) => {
    expect((await importedBy(room)).filter((other) => !allowed.includes(other))).toEqual([])
  },
)
