import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { DeployerList } from '../src/server/accounts/deployer-list.ts'
import { Deployers } from '../src/server/accounts/deployers.ts'
import { defaultLimits as limits } from '../src/server/config.ts'
import { openForges } from '../src/server/forges/forges.ts'
import { type Db, openStore } from '../src/server/store/open.ts'

describe('who may deploy, for the operator', () => {
  let data: string
  /** The database of the web server, which stays open. */
  let db: Db
  let forge: Server
  let logins: Map<string, number>
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'origami-deployer-list-'))
    db = await openStore(data)
    logins = new Map([
      ['ann', 7],
      ['bob', 8],
    ])
    forge = createServer((request, response) => {
      const login = request.url?.split('/').at(-1) ?? ''
      const id = logins.get(login)
      response.writeHead(id ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify({ id, login }))
    }).listen(0, '127.0.0.1')
    await once(forge, 'listening')
  })
  afterEach(async () => {
    forge.close().closeAllConnections()
    await db.destroy()
    await rm(data, { recursive: true })
  })

  const forges = () => {
    const api = `http://127.0.0.1:${(forge.address() as AddressInfo).port}`
    return [{ host: 'github.test', kind: 'github', web: api, git: api, api } as const]
  }
  const open = () => DeployerList.open({ data, forges: forges(), limits })

  async function start(listed: string[]): Promise<void> {
    const leaving = new AbortController()
    const log = () => {}
    const opened = openForges({ entries: forges(), apps: {}, limits, log })
    await new Deployers({ db, forges: opened, listed, log }).seed(leaving.signal)
  }

  async function signedIn(login: string, subject: string): Promise<void> {
    await db
      .insertInto('accounts')
      .values({ id: subject, handle: login, name: null, avatar: null, created_at: '' })
      .execute()
    const identity = { forge: 'github.test', subject, account: subject, login, token: new Uint8Array(), scope: '' }
    await db.insertInto('identities').values(identity).execute()
  }

  test('is added by the number that the forge has for a login, once, and removed again, twice', async () => {
    await using list = await open()
    expect(await list.add('github.test/Ann')).toMatchObject({ added: true, deployer: { subject: '7' } })
    expect(await list.add('ann')).toMatchObject({ added: false })
    expect(await list.all()).toEqual([{ forge: 'github.test', subject: '7', login: null }])
    expect(await list.remove('github.test/ann')).toMatchObject({ subject: '7' })
    expect(await list.remove('github.test/ann')).toBeUndefined()
    expect(await list.all()).toEqual([])
  })

  test('is named by a number where the forge does not tell whose a login is', async () => {
    const silent = [{ host: 'silent.test', kind: 'github', git: 'https://silent.test' } as const]
    await using list = await DeployerList.open({ data, forges: silent, limits })
    await expect(list.add('silent.test/ann')).rejects.toThrow('silent.test/id:<number>')
    expect(await list.add('silent.test/id:7')).toMatchObject({ added: true, deployer: { subject: '7' } })
  })

  test('settings that list them do not bring back who was removed; adding them does', async () => {
    await start(['ann'])
    await using list = await open()
    expect(await list.all()).toHaveLength(1)
    await list.remove('ann')
    await list.remove('bob')
    await start(['ann', 'bob'])
    expect(await list.all()).toEqual([])
    await list.add('ann')
    expect(await list.all()).toHaveLength(1)
  })

  test('who has another login meanwhile is found by that of their last sign-in, and by their number', async () => {
    await using list = await open()
    await list.add('ann')
    await signedIn('ann', '7')
    logins = new Map([['ann', 9]])
    expect(await list.remove('ann')).toEqual({ forge: 'github.test', subject: '7', login: 'ann' })
    await list.add('github.test/id:7')
    await list.add('ann')
    await expect(list.remove('ann')).rejects.toThrow('remove one by its number: github.test/id:7, github.test/id:9')
    expect(await list.remove('github.test/id:9')).toMatchObject({ subject: '9' })
    forge.close().closeAllConnections()
    expect(await list.remove('ann')).toMatchObject({ subject: '7' })
  })

  test('what cannot be done says why', async () => {
    await using list = await open()
    await expect(list.add('github.test/nobody')).rejects.toThrow('github.test knows no nobody')
    await expect(list.add('elsewhere.test/ann')).rejects.toThrow('expected forge/login of a forge where people sign in')
    await expect(DeployerList.open({ data: join(data, 'none'), forges: [], limits })).rejects.toThrow(
      'no web server ever ran with',
    )
    forge.close().closeAllConnections()
    await vi.waitFor(() => expect(list.add('ann')).rejects.toThrow('github.test could not be asked'))
  })
})
