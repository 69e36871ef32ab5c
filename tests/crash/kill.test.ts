import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Person } from '../person.ts'
import { World } from '../world.ts'

describe('when the daemon is killed (SIGKILL) while three predictions are there, one of them running', () => {
  let world: World
  let ann: Person
  let address: string
  let gate: string
  let ids: string[]
  let before: number | null | undefined

  beforeAll(async () => {
    world = await World.start({ engine: 'process' })
    ann = await world.person('ann')
    const page = await ann.deploy(await world.push('tests/demos/gated', 'ann'))
    expect(page.detail?.newest?.reason).toBeNull()
    expect(page.state).toBe('running')
    address = page.address
    before = page.detail?.port
    gate = join(world.folder, 'gate')
    const made = [
      await ann.submit(address, { word: 'one', gate }),
      await ann.submit(address, { word: 'two', gate }),
      await ann.submit(address, { word: 'three', gate }),
    ]
    ids = made.map((snapshot) => snapshot.id)
    await ann.prediction(address, ids[0] ?? '', (snapshot) => snapshot.status === 'processing')
    await vi.waitFor(async () => expect(await readFile(`${gate}.runs`, 'utf8')).toBe('one\n'))
    await world.killDaemon()
    await world.startDaemon()
  }, 240_000)

  afterAll(async () => world[Symbol.asyncDispose]())

  test('the demo was never stopped', async () => {
    const page = await ann.settled(address)
    expect(page.state).toBe('running')
    expect(page.detail?.port).toBe(before)
  })

  test('all three end, and none ran twice', async () => {
    await writeFile(gate, '')
    const ended = await Promise.all(ids.map((id) => ann.prediction(address, id)))
    expect(ended.map((snapshot) => [snapshot.status, snapshot.output])).toEqual([
      ['succeeded', 'one, version 1'],
      ['succeeded', 'two, version 1'],
      ['succeeded', 'three, version 1'],
    ])
    expect((await readFile(`${gate}.runs`, 'utf8')).trim().split('\n').toSorted()).toEqual(['one', 'three', 'two'])
  })
})
