import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DemoCard, DemoPage } from '@origami/protocol/control'
import type { PredictionSnapshot } from '@origami/protocol/demo'
import Database from 'better-sqlite3'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Person } from './person.ts'
import { World } from './world.ts'

const picture =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
/** The prediction that waited then goes on until this file is there. */
const gate = '/tmp/origami-fixture-gate'

interface About {
  readonly token: string
  readonly unlisted: string
  readonly kept: readonly Pick<PredictionSnapshot, 'id' | 'status' | 'output' | 'error'>[]
  readonly open: readonly [string, string]
}

describe('what the version of November 2026 left', () => {
  let before: string
  let about: About
  let world: World

  beforeAll(async () => {
    before = await mkdtemp(join(tmpdir(), 'origami-before-'))
    await execa('tar', ['-C', before, '-xzf', join(import.meta.dirname, 'fixtures/november-2026.tar.gz')])
    about = JSON.parse(await readFile(join(before, 'about.json'), 'utf8'))
    asOfToday(before)
    world = await World.start({ engine: 'process', state: before })
  })

  afterAll(async () => {
    await world?.[Symbol.asyncDispose]()
    for (const path of [before, gate, `${gate}.runs`]) await rm(path, { recursive: true, force: true })
  })

  /** Calls with the token that was made by the old version. */
  const asked = async <Answer>(path: string, method = 'GET'): Promise<Answer> => {
    const answer = await fetch(world.url + path, { method, headers: { authorization: `Bearer ${about.token}` } })
    expect(answer.status, await answer.clone().text()).toBeLessThan(300)
    return (await answer.json()) as Answer
  }

  test('demos, and who may do what with them, are as they were', async () => {
    const { demos } = await asked<{ demos: DemoCard[] }>('/-/api/mine')
    expect(demos.map(({ name, public: isPublic }) => [name, isPublic]).toSorted()).toEqual([
      ['album', true],
      ['gated', false],
      ['resting', true],
    ])
    expect((await asked<DemoPage>('/-/api/demos/ann/resting')).state).toBe('stopped')
    expect(await new Person(world.url).status('GET', '/-/api/demos/ann/gated')).toBe(404)
    expect((await fetch(world.url + about.unlisted.replace('/ann/', '/-/api/demos/ann/'))).status).toBe(200)
  })

  test('permalinks show what was answered, with its files', async () => {
    for (const { id, status, error, output } of about.kept) {
      const now = (await (await fetch(`${world.url}/ann/album/predictions/${id}`)).json()) as PredictionSnapshot
      expect([now.status, now.error]).toEqual([status, error])
      if (output === null) continue
      const [then, copy] = [output as { said: string; copy: string }, now.output as { said: string; copy: string }]
      expect(copy.said).toBe(then.said)
      expect(new URL(copy.copy).pathname).toBe(new URL(then.copy).pathname)
      expect((await (await fetch(copy.copy)).arrayBuffer()).byteLength).toBe(70)
    }
  })

  test('what ran when the daemon was killed is interrupted, and what waited is answered by the next version', async () => {
    const ann = await world.person('ann')
    await writeFile(gate, '')
    expect((await ann.prediction('/ann/gated', about.open[0])).reason).toBe('interrupted')
    await world.push('tests/demos/gated', 'ann')
    const page = await ann.redeploy('/ann/gated')
    expect(page.state, page.detail?.newest?.reason ?? '').toBe('running')
    expect((await ann.prediction('/ann/gated', about.open[1])).output).toBe('waiting, version 1')
  })

  test.each([
    ['node', { picture, word: 'hello' }, (output: unknown) => (output as { said: string }).said, /^hello, 70 bytes$/],
    ['python', { topic: 'rain', lines: 2, pause: 0 }, String, /./],
  ] as const)(
    'a bundle made then deploys and answers: %s',
    async (kind, input, said, expected) => {
      const ann = await world.person('ann')
      const bundle = join(before, 'bundles', kind)
      if (kind === 'python')
        await cp(join(before, 'bundles/node/origami'), join(bundle, 'origami'), { recursive: true })
      await world.github.repo('ann', `old-${kind}`, { private: false })
      await world.github.push('ann', `old-${kind}`, bundle, 'As it was')
      const page = await ann.deploy(`https://${world.github.forge.host}/ann/old-${kind}`)
      expect(page.state, page.detail?.newest?.reason ?? '').toBe('running')
      const ended = await ann.prediction(page.address, (await ann.submit(page.address, input)).id)
      expect([ended.status, ended.error]).toEqual(['succeeded', null])
      expect(said(ended.output)).toMatch(expected)
    },
    60_000,
  )
})

/** Results and sessions are kept for 30 days; the fixture is older, so everything happened just now. */
function asOfToday(folder: string): void {
  const now = new Date().toISOString()
  for (const [file, table, columns] of [
    ['daemon/daemon.db', 'predictions', ['created_at', 'started_at', 'completed_at']],
    ['web/web.db', 'sessions', ['created_at']],
  ] as const) {
    const db = new Database(join(folder, file))
    for (const column of columns) db.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${column} IS NOT NULL`).run(now)
    db.close()
  }
}
