import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Person } from './person.ts'
import { World } from './world.ts'

/** What holds of files that come to a demo and from it, whatever runs the demo. */
export function inputFilesContract(engine: 'process' | 'docker'): void {
  describe(`files of predictions, with the ${engine} engine`, () => {
    let world: World
    let ann: Person
    let address: string
    beforeAll(async () => {
      world = await World.start({ engine })
      ann = await world.person('ann')
      ;({ address } = await ann.deploy(await world.push('tests/demos/meddler', 'ann')))
    }, 400_000)
    afterAll(async () => world?.[Symbol.asyncDispose]())

    const upload = async (content: string) => {
      const path = `${address}/files/${crypto.randomUUID()}/paper.txt`
      const sent = await ann.fetch(path, { method: 'PUT', headers: { 'content-type': 'text/plain' }, body: content })
      expect(sent.status).toBe(201)
      return path
    }
    const run = async (input: Record<string, unknown>) => {
      const { id } = await ann.submit(address, input)
      return ann.prediction(address, id, ({ completed_at }) => Boolean(completed_at))
    }
    const text = async (path: string) => (await ann.fetch(path)).text()
    const inputFolders = async () => {
      const within = join(world.folder, 'daemon/engine', engine === 'docker' ? 'inputs' : 'instances')
      const instances = (await readdir(within)).map((name) => join(within, name, engine === 'docker' ? '' : 'inputs'))
      return (await Promise.all(instances.map((folder) => readdir(folder)))).flat()
    }

    test('what a demo writes to its input changes nothing that is kept', async () => {
      const path = await upload('a paper')
      const { status, output } = await run({ paper: world.url + path })
      expect(status).toBe('succeeded')
      const { said } = output as { said: string }
      expect(said).toMatch(engine === 'docker' ? /EACCES, a paper$/ : /wrote, a paper and more$/)
      expect(await text(path)).toBe('a paper')
      expect((await run({ paper: world.url + path })).output).toMatchObject({
        said: expect.stringContaining(', a paper'),
      })
    })

    test('an input comes to its demo by a folder, and goes from there with its prediction', async () => {
      const paper = world.url + (await upload('another paper'))
      const { input, output } = await run({ paper })
      expect(input.paper).toBe(paper)
      const folder = engine === 'docker' ? '/mnt/inputs/' : '/inputs/'
      expect((output as { said: string }).said.split('file/paper.txt')[0]).toContain(folder)
      await vi.waitFor(async () => expect(await inputFolders()).toEqual([]))
    })

    test('nobody names a path of the server: it is refused as no file, and its bytes come nowhere', async () => {
      const secret = join(world.folder, 'forges.json')
      for (const paper of [
        'file:///etc/passwd',
        '/etc/passwd',
        secret,
        `file://${secret}`,
        'files/../../forges.json',
      ]) {
        const headers = { 'content-type': 'application/json' }
        const body = JSON.stringify({ input: { paper } })
        const answered = await ann.fetch(`${address}/predictions`, { method: 'POST', headers, body })
        expect([paper, answered.status]).toEqual([paper, 422])
        expect(await answered.text()).toContain('an uploaded file')
      }
    })

    test('a link that a demo gives for a result is not followed', async () => {
      const { status, error } = await run({ paper: world.url + (await upload('x')), link: '/etc/passwd' })
      expect([status, error]).toEqual(['failed', expect.stringContaining('is a link')])
    })

    test('the same bytes are kept once', async () => {
      const contents = () => readdir(join(world.folder, 'daemon/files/.contents'))
      await upload('the same')
      const before = await contents()
      await upload('the same')
      expect(await contents()).toEqual(before)
      expect(
        await Promise.all(before.map((hash) => readFile(join(world.folder, 'daemon/files/.contents', hash), 'utf8'))),
      ).toContain('the same')
    })
  })
}
