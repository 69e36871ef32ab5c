import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { defaultLimits } from '../../src/server/config.ts'
import { RepositoryLists } from '../../src/server/demos/repository-lists.ts'
import { openForges } from '../../src/server/forges/forges.ts'

describe('a list of repositories', () => {
  test('is asked once a minute for a list, to its end, and only of what is shown whether it is a bundle', async () => {
    const asked: string[] = []
    await using forge = await startForge((request, response) => {
      const url = new URL(request.url ?? '/', 'http://forge')
      asked.push(url.pathname)
      const page = Number(url.searchParams.get('page'))
      const names = Array.from({ length: page === 3 ? 7 : 100 }, (_, index) => `repository-${page}-${index}`)
      const repos = names.map((name) => ({
        owner: { login: 'ann' },
        name,
        description: null,
        private: false,
        pushed_at: null,
      }))
      const is404 = url.pathname.endsWith('/.origami') && !url.pathname.includes('repository-3-6')
      response
        .writeHead(is404 ? 404 : 200, { 'content-type': 'application/json' })
        .end(JSON.stringify(is404 ? {} : repos))
    })
    const lists = new RepositoryLists(defaultLimits)
    const search = async (searched: string) => (await lists.search('ann', forge.forge, grant, searched)).repositories
    expect(await search('repository-3-6')).toMatchObject([{ name: 'repository-3-6', linked: true }])
    expect(asked.filter((path) => path === '/user/repos')).toHaveLength(3)
    expect(asked).toHaveLength(4)
    expect(await search('repository-3-6')).toHaveLength(1)
    expect(asked).toHaveLength(4)
    expect(await search('')).toHaveLength(30)
    expect(asked).toHaveLength(34)
  })

  test.each([
    ['all that there are', 2, '', false],
    ['the first 30 that match', 31, '', true],
    ['the few that match', 31, 'repository-1-30', false],
    ['what matches of a thousand, and there may be more', 1000, 'repository-1-30', true],
  ])('is a list that says whether it is cut: %s', async (_what, count, searched, cut) => {
    await using forge = await startForge((request, response) => {
      const page = Number(new URL(request.url ?? '/', 'http://forge').searchParams.get('page'))
      const names = Array.from(
        { length: Math.max(0, Math.min(100, count - 100 * (page - 1))) },
        (_, at) => `repository-${page}-${at}`,
      )
      const repos = names.map((name) => ({ owner: { login: 'ann' }, name, private: false }))
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(repos))
    })
    expect((await new RepositoryLists(defaultLimits).search('ann', forge.forge, grant, searched)).cut).toBe(cut)
  })

  test('that the forge would not give is asked for again by the next search', async () => {
    let asked = 0
    await using forge = await startForge((_request, response) => {
      asked += 1
      response.writeHead(asked === 1 ? 403 : 200, { 'content-type': 'application/json' }).end('[]')
    })
    const lists = new RepositoryLists(defaultLimits)
    await expect(lists.search('ann', forge.forge, grant, '')).rejects.toThrow()
    expect(await lists.search('ann', forge.forge, grant, '')).toEqual({ repositories: [], cut: false })
  })

  test.each([
    [1, ['ann', 'bob', 'ann']],
    [2, ['ann', 'bob']],
  ])('of %i accounts is kept: those who were asked for last', async (repositoryLists, expected) => {
    const asked: string[] = []
    await using forge = await startForge((request, response) => {
      asked.push(request.headers.authorization?.replace(/^\w+ /, '') ?? '')
      response.writeHead(200, { 'content-type': 'application/json' }).end('[]')
    })
    const lists = new RepositoryLists({ ...defaultLimits, repositoryLists })
    for (const name of ['ann', 'bob', 'ann']) await lists.search(name, forge.forge, { token: name, scope: '' }, '')
    expect(asked).toEqual(expected)
  })

  test('is shown though the forge does not tell of each whether it is a bundle, and asks about few at a time', async () => {
    let [open, most] = [0, 0]
    const repos = ['a', 'b', 'c', 'd'].map((name) => ({ owner: { login: 'ann' }, name, private: false }))
    await using forge = await startForge((request, response) => {
      const isList = request.url?.startsWith('/user/repos')
      open += 1
      most = Math.max(most, open)
      // A caller that asks for more at a time gets the turn to do so.
      setImmediate(() => {
        open -= 1
        response.writeHead(isList ? 200 : 500, { 'content-type': 'application/json' }).end(JSON.stringify(repos))
      })
    })
    const lists = new RepositoryLists({ ...defaultLimits, forgeQuestions: 1 })
    const { repositories } = await lists.search('ann', forge.forge, grant, '')
    expect(repositories.map(({ name, linked }) => [name, linked])).toEqual(repos.map(({ name }) => [name, null]))
    expect(most).toBe(1)
  })
})

const grant = { token: 'token', scope: '' }

async function startForge(listener: RequestListener) {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const entry = { host: 'forge.test', kind: 'github', web: address, api: address, git: address } as const
  const [forge] = openForges({ entries: [entry], apps: {}, limits: defaultLimits, log: () => {} })
  if (!forge) throw new Error('no forge was opened')
  return {
    forge,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
