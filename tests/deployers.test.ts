import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { World } from './world.ts'

const main = join(import.meta.dirname, '../packages/cli/src/main.ts')

describe('who may deploy', () => {
  let world: World

  beforeAll(async () => {
    world = await World.start({
      engine: 'process',
      web: { deployers: ['ann', 'github.test/Dave', 'elsewhere.test/eve'] },
    })
  })
  afterAll(async () => world[Symbol.asyncDispose]())

  const mayDeploy = async (login: string) => (await (await world.person(login)).session()).account?.may_deploy

  test('is who had the login when the forge was asked: not who has it later, and they keep it under another', async () => {
    await vi.waitFor(() => expect(resolved()).toContain('ann'))
    world.github.rename('ann', 'anna')
    expect(await mayDeploy('ann')).toBe(false)
    expect(
      await (await world.person('ann')).status('POST', '/-/api/demos', { link: 'https://github.test/ann/x' }),
    ).toBe(403)
    expect(await mayDeploy('anna')).toBe(true)
  })

  test('is looked up when they sign in first, where the forge did not know them at the start', async () => {
    expect(resolved()).not.toContain('dave')
    expect(await mayDeploy('dave')).toBe(true)
    expect(await mayDeploy('eve')).toBe(false)
  })

  test('is kept: the list only says who comes to it', async () => {
    await world.stopWeb()
    await world.startWeb({ deployers: [] })
    expect([await mayDeploy('anna'), await mayDeploy('ann')]).toEqual([true, false])
  })

  test('is removed by origami deployers while the server runs, and stays removed though the settings list them', async () => {
    await writeFile(join(world.folder, 'all-forges.json'), JSON.stringify(world.forges))
    const origami = (...args: string[]) =>
      execa(
        process.execPath,
        [main, 'deployers', ...args, '--data', world.folder, '--forges', join(world.folder, 'all-forges.json')],
        {
          reject: false,
        },
      )
    const listed = JSON.parse((await origami('list', '--json')).stdout) as { login: string }[]
    expect(listed.map(({ login }) => login)).toContain('anna')
    expect((await origami('remove', 'github.test/anna')).stdout).toMatch(
      /^github\.test\/anna \(number \d+\) may deploy no longer/,
    )
    expect(await mayDeploy('anna')).toBe(false)
    await world.stopWeb()
    await world.startWeb({ deployers: ['ann', 'anna'] })
    expect(await mayDeploy('anna')).toBe(false)
    const { exitCode, stderr } = await origami('add', 'github.test/nobody')
    expect([exitCode, stderr]).toEqual([1, 'github.test knows no nobody'])
  }, 60_000)

  function resolved(): string[] {
    const db = new Database(join(world.folder, 'web/web.db'), { readonly: true })
    try {
      return (db.prepare('SELECT login FROM deployer_seeds').all() as { login: string }[]).map(({ login }) => login)
    } finally {
      db.close()
    }
  }
})

describe('X-Forwarded-For', () => {
  test('is believed of a server in front that the operator names, and of nobody else', async () => {
    await using world = await World.start({ engine: 'process' })
    const asker = async () => {
      const headers = { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.9' }
      const begun = await fetch(`${world.url}/-/api/device`, { method: 'POST', headers, body: '{}' })
      const { user_code } = (await begun.json()) as { user_code: string }
      const ann = await world.person('ann')
      return (await ann.call('GET /-/api/device', { query: { code: user_code } })).address
    }
    await world.stopWeb()
    await world.startWeb({ publicUrl: world.url })
    expect(await asker()).toBe('127.0.0.1')
    await world.stopWeb()
    await world.startWeb({ publicUrl: world.url, trustedProxies: ['127.0.0.0/8'] })
    expect(await asker()).toBe('203.0.113.9')
  })
})
