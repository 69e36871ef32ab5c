import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { World } from './world.ts'

const main = join(import.meta.dirname, '../packages/cli/src/main.ts')

describe('the command', () => {
  let world: World
  let token: string
  let link: string

  beforeAll(async () => {
    world = await World.start({ engine: 'process' })
    const ann = await world.person('ann')
    token = (await ann.json<{ token: string }>('POST', '/-/api/tokens', { name: 'laptop' })).token
    link = await world.push('tests/demos/gated', 'ann')
  }, 60_000)

  afterAll(async () => world[Symbol.asyncDispose]())

  const origami = (args: string[], env: Record<string, string> = { ORIGAMI_TOKEN: token }) =>
    execa(process.execPath, [main, ...args], { env: { ORIGAMI_URL: world.url, ...env }, reject: false })

  test('deploys, looks, stops, starts and removes', async () => {
    const deployed = await origami(['deploy', link])
    expect(deployed.stdout).toBe(`${world.url}/ann/gated`)
    expect(deployed.stderr).toContain('/ann/gated: running')
    expect(JSON.parse((await origami(['status', '--json'])).stdout)).toMatchObject([{ address: '/ann/gated', state: 'running' }])
    expect(JSON.parse((await origami(['stats', '--json'])).stdout)).toMatchObject([{ repolink: link, status: 'running' }])
    expect((await origami(['logs', 'ann/gated'])).stdout).toContain('deploy Live')
    expect((await origami(['stop', 'ann/gated'])).stdout).toBe('/ann/gated stopped')
    expect((await origami(['status', 'ann/gated'])).stdout).toContain('stopped')
    expect((await origami(['start', 'ann/gated'])).exitCode).toBe(0)
    expect((await origami(['remove', 'ann/gated'])).stdout).toBe('/ann/gated removed')
    expect((await origami(['status', '--json'])).stdout).toBe('[]')
  }, 120_000)

  test.each([
    [['deploy', 'https://evil.example/a/b'], 'is not in the table of forges'],
    [['stop', 'nobody/nothing'], 'There is no such demo'],
    [['stop', 'nonsense'], 'expected account/name, got nonsense'],
    [['serve', '/nowhere/model.py'], 'there is no /nowhere/model.py'],
    [['serve', 'README.md'], 'expected a model in Python (.py) or TypeScript (.ts)'],
    [['bundle', '/nowhere'], 'expected one of model.py'],
    [['up', '--private-network', 'lab'], 'expected a network such as 10.0.0.0/8, got lab'],
    [['up', '--engine', 'process', '--host', '0.0.0.0'], 'the process engine isolates nothing'],
  ])('%j ends with words, not with a stack', async (args, words) => {
    const { exitCode, stderr } = await origami(args)
    expect(exitCode).toBe(1)
    expect(stderr).toContain(words)
    expect(stderr).not.toContain('at ')
  })

  test('without a token it says how to sign in', async () => {
    expect((await origami(['status'], { ORIGAMI_TOKEN: '', HOME: world.folder })).stderr).toContain(`origami login ${world.url}`)
  })
})
