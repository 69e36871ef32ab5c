import { mkdir, open, readFile, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DemoPage } from '@origami/protocol/control'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Person, placeOf } from './person.ts'
import { World } from './world.ts'

const megabyte = 1024 ** 2

/** Those who wait here ask often. */
const limits = { requestsPerMinute: 100_000 }
const settings = `
limits:
  free_builds: 48m
  free_builds_files: 2000
  free_building: 24m
  free_uploads: 16m
  free_uploads_files: 500
  round: 300ms
`

describe('on a disk that fills up', () => {
  let world: World
  let ann: Person
  let page: DemoPage
  let newest: string

  beforeAll(async () => {
    world = await World.start({ engine: 'process', daemonDisk: 'size=128m,nr_inodes=12k', settings, limits })
    ann = await world.person('ann')
    page = await ann.deploy(await world.push('tests/demos/gated', 'ann'))
    expect(page.state, page.detail?.newest?.reason ?? '').toBe('running')
  }, 240_000)

  afterAll(async () => world[Symbol.asyncDispose]())

  const filler = (name: string) => join(world.folder, 'daemon', name)
  const upload = (name: string) =>
    ann.fetch(`${page.address}/files/${name.padEnd(22, '0')}/${name}.txt`, { method: 'PUT', body: 'some words' })
  /** A prediction that waits for its gate. */
  const gated = async (word: string) => {
    const gate = join(world.folder, word)
    const { id } = await ann.submit(page.address, { word, gate })
    return { id, open: () => writeFile(gate, ''), runs: () => readFile(`${gate}.runs`, 'utf8') }
  }

  test('a deployment waits first, says why on its page and in its log, and uploads still come', async () => {
    await fill(filler('first'), 32 * megabyte)
    await world.push('tests/demos/gated', 'ann')
    const asked = await ann.call('POST /-/api/demos/:account/:name/deploy', { params: placeOf(page.address) })
    newest = asked.detail?.newest?.id ?? ''
    await vi.waitFor(async () => {
      const { detail } = await ann.page(page.address)
      expect(detail?.newest).toMatchObject({ id: newest, state: 'queued' })
      expect(detail?.newest?.reason).toMatch(/waits for room.* MB free, and a deployment begins with/)
    })
    const log = await ann.fetch(`/-/api/demos${page.address}/logs`)
    expect(await log.text()).toMatch(/deploy It waits for room/)
    expect((await upload('early')).status).toBe(201)
  })

  test('uploads are refused next, with words and when to come again', async () => {
    await fill(filler('second'), 12 * megabyte)
    let tries = 0
    const refused = await vi.waitFor(async () => {
      tries += 1
      const answer = await upload(`late-${tries}-`)
      expect(answer.status).toBe(507)
      return answer
    })
    expect(refused.headers.get('retry-after')).toBe('60')
    expect(await refused.json()).toMatchObject({ error: expect.stringMatching(/no room to keep this now .* MB free/) })
  })

  test('what was accepted ends and is kept, and goes on by itself when there is room', async () => {
    const [one, two] = [await gated('one'), await gated('two')]
    await vi.waitFor(async () => expect(await one.runs()).toBe('one\n'))
    await fill(filler('third'), 0)
    const full = { input: { word: 'more' } }
    await vi.waitFor(async () => expect(await ann.status('POST', `${page.address}/predictions`, full)).toBe(507))
    await one.open()
    expect(await ann.prediction(page.address, one.id)).toMatchObject({ status: 'succeeded', output: 'one, version 1' })
    await fill(filler('fourth'), 0)
    // Where it runs has to be stored before it does, or its end: it waits for the one or the other.
    await two.open()
    for (const name of ['first', 'second', 'third', 'fourth']) await rm(filler(name), { force: true })
    expect(await ann.prediction(page.address, two.id)).toMatchObject({ status: 'succeeded', output: 'two, version 1' })
    const { detail } = await ann.settled(page.address, newest)
    expect(detail?.newest).toMatchObject({ id: newest, state: 'running', reason: null })
    expect((await upload('again')).status).toBe(201)
  })

  test('a file system without room for more files counts as full', async () => {
    await exhaust(filler('names'), 1000)
    await ann.call('POST /-/api/demos/:account/:name/deploy', { params: placeOf(page.address) })
    await vi.waitFor(async () => {
      const { detail } = await ann.page(page.address)
      expect(detail?.newest?.reason).toMatch(/room for \d+ files, and a deployment begins with 2000/)
    })
    await rm(filler('names'), { recursive: true })
    expect((await ann.settled(page.address)).detail?.newest?.state).toBe('running')
  })
})

/** Writes a file until so many bytes are free where it is. */
async function fill(path: string, left: number): Promise<void> {
  await using file = await open(path, 'w')
  for (;;) {
    const { bavail, bsize } = await statfs(path)
    const more = Math.min(bavail * bsize - left, megabyte)
    if (more <= 0) return
    try {
      await file.write(Buffer.alloc(more, 1))
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' })
      return
    }
  }
}

/** Makes empty files in a folder until there is room for so many more. */
async function exhaust(folder: string, left: number): Promise<void> {
  await mkdir(folder)
  const { ffree } = await statfs(folder)
  for (let made = 0; made < ffree - left; made += 1) await writeFile(join(folder, String(made)), '')
}
