import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeOwnerLink, OwnerLinks } from '../../src/server/accounts/owner-links.ts'
import { openStore } from '../../src/server/store/open.ts'

const secretOf = (link: string) => new URL(link).hash.slice(1)
const hourMs = 3_600_000

test.each(['of the server', 'of the command'] as const)('a link %s signs in once, within an hour', async (maker) => {
  const folder = await mkdtemp(join(tmpdir(), 'origami-owner-links-'))
  const db = await openStore(folder)
  try {
    let now = Date.now()
    const links = new OwnerLinks(db, () => now)
    const url = 'https://demos.example.org'
    const make = async () => (maker === 'of the server' ? links.make(url) : await makeOwnerLink(folder, url))
    const [first, second] = [secretOf(await make()), secretOf(await make())]
    expect([await links.use(first), await links.use(first), await links.use('guessed')]).toEqual([true, false, false])
    now += hourMs + 60_000
    expect(await links.use(second)).toBe(false)
    expect(JSON.stringify(await db.selectFrom('owner_links').selectAll().execute())).not.toContain(second)
  } finally {
    await db.destroy()
    await rm(folder, { recursive: true })
  }
})
