import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { Person } from './person.ts'
import { World } from './world.ts'

test('pages that are open cost nothing while nothing changes for their demo, and are told when something does', async () => {
  await using world = await World.start({ engine: 'process' })
  const ann = await world.person('ann')
  for (const name of ['first', 'second']) await ann.deploy(await world.push('tests/demos/gated', 'ann', { name }))
  const change = async (name: string, isPublic: boolean) => {
    await ann.call('PATCH /-/api/demos/:account/:name', {
      params: { account: 'ann', name },
      body: { public: isPublic },
    })
    // Whoever the change woke asks the database before this does.
    await ann.session()
  }
  /** The least of several times: now and then the server looks after something else meanwhile. */
  const least = async () => {
    const times: number[] = []
    for (const isPublic of [false, true, false, true]) times.push(await statementsOf(() => change('second', isPublic)))
    return Math.min(...times)
  }
  const alone = await least()
  const leaving = new AbortController()
  const pages = await Promise.all(Array.from({ length: 10 }, () => openPage(world.url, leaving.signal)))
  for (const page of pages) expect(await page()).toContain('"public":true')
  expect(await least()).toBe(alone)
  await ann.call('PATCH /-/api/demos/:account/:name', {
    params: { account: 'ann', name: 'first' },
    body: { name: 'renamed' },
  })
  for (const page of pages) expect(await page()).toContain('"name":"renamed"')
  leaving.abort()
})

/** How many statements the web server, which runs in this process, makes meanwhile. */
async function statementsOf(work: () => Promise<void>): Promise<number> {
  const { prepare } = Database.prototype
  let made = 0
  Database.prototype.prepare = function (this: Database.Database, text: string) {
    made += 1
    return prepare.call(this, text)
  } as typeof prepare
  try {
    await work()
  } finally {
    Database.prototype.prepare = prepare
  }
  return made
}

/** What the page is told next. */
async function openPage(url: string, signal: AbortSignal): Promise<() => Promise<string>> {
  const { body } = await new Person(url).fetch('/-/api/demos/ann/first/events', { signal })
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader()
  return async () => (await reader?.read())?.value ?? ''
}
