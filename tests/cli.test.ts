import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { linkOf } from '../packages/cli/src/origin-link.ts'
import { yourOwn } from '../packages/cli/src/your-own.ts'
import type { Person } from './person.ts'
import { World } from './world.ts'

const main = join(import.meta.dirname, '../packages/cli/src/main.ts')

test('what npm start says of a demo of one’s own is what the README says', async () => {
  const readme = await readFile(join(import.meta.dirname, '../README.md'), 'utf8')
  const section = /^## A demo of your own$(.*?)^## /ms.exec(readme)?.[1] ?? ''
  const commands = (text: string) => text.split('\n').map((line) => line.replace(/\s#.*$/, '').trim())
  const typed = [...section.matchAll(/^```sh\n(.*?)\n```$/gms)].flatMap(([, block = '']) => commands(block))
  const said = commands(yourOwn('http://127.0.0.1:8000', '/home/you/my clone'))
  expect(typed.length).toBeGreaterThan(5)
  expect(said).toEqual(['', 'A demo of your own, in another terminal:', "cd '/home/you/my clone'", ...typed])
})

describe('the command', () => {
  let world: World
  let ann: Person
  let token: string
  let link: string

  beforeAll(async () => {
    world = await World.start({ engine: 'process' })
    ann = await world.person('ann')
    token = (await ann.call('POST /-/api/tokens', { body: { name: 'laptop' } })).token
    link = await world.push('tests/demos/gated', 'ann')
  })

  afterAll(async () => world[Symbol.asyncDispose]())

  const origami = (args: string[], env: Record<string, string> = { ORIGAMI_TOKEN: token }) =>
    execa(process.execPath, [main, ...args], { env: { ORIGAMI_URL: world.url, ...env }, reject: false })

  test('deploys, looks, stops, starts and removes', async () => {
    const deployed = await origami(['deploy', link])
    expect(deployed.stdout).toBe(`${world.url}/ann/gated`)
    expect(deployed.stderr).toContain('/ann/gated: running')
    expect(JSON.parse((await origami(['status', '--json'])).stdout)).toMatchObject([
      { address: '/ann/gated', state: 'running' },
    ])
    expect(JSON.parse((await origami(['stats', '--json'])).stdout)).toMatchObject([
      { repolink: link, status: 'running' },
    ])
    expect((await origami(['logs', 'ann/gated'])).stdout).toContain('deploy Live')
    expect((await origami(['set', 'ann/gated', '--no-cross-origin'])).stdout).toBe(
      '/ann/gated is closed to pages of other sites',
    )
    expect((await origami(['set', 'ann/gated', '--cross-origin', '--json'])).stdout).toBe(
      '{"address":"/ann/gated","cross_origin":true}',
    )
    expect(await origami(['set', 'ann/gated'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('expected what to set: --cross-origin or --no-cross-origin'),
    })
    expect((await origami(['stop', 'ann/gated'])).stdout).toBe('/ann/gated stopped')
    expect((await origami(['status', 'ann/gated'])).stdout).toContain('stopped')
    expect((await origami(['start', 'ann/gated'])).exitCode).toBe(0)
    expect((await origami(['remove', 'ann/gated'])).stdout).toBe('/ann/gated removed')
    expect(await origami(['remove', 'ann/gated'])).toMatchObject({ exitCode: 0, stdout: '/ann/gated was not there' })
    expect((await origami(['status', '--json'])).stdout).toBe('[]')
  })

  test('deploys the clone one stands in, warns of what is not pushed, and outlives a server that starts again', async () => {
    const clone = await mkdtemp(join(tmpdir(), 'origami-clone-'))
    await execa('git', ['init', '-q', clone])
    await execa('git', ['remote', 'add', 'origin', `${link.replace('https://github.test/', 'git@github.test:')}.git`], {
      cwd: clone,
    })
    await writeFile(join(clone, 'model.ts'), 'changed')
    const deploying = execa(process.execPath, [main, 'deploy'], {
      cwd: clone,
      env: { ORIGAMI_URL: world.url, ORIGAMI_TOKEN: token },
    })
    let printed = ''
    deploying.stderr.on('data', (text: Buffer) => {
      printed += text.toString()
    })
    await vi.waitFor(() => expect(printed).toContain('/ann/gated: queued'))
    await world.stopWeb()
    await world.startWeb()
    const { stdout, stderr } = await deploying
    expect(stdout).toBe(`${world.url}/ann/gated`)
    expect(stderr).toContain('warning: 1 file is not committed: what is deployed is what is pushed')
    await rm(clone, { recursive: true })
  })

  test('a deploy that fails ends with 1, after the lines that matter; what a demo prints is shown, not obeyed', async () => {
    const model = "console.log('\\u001b[2Jloud')\nthrow new Error('the weights are not there')\n"
    const broken = await world.push('tests/demos/gated', 'ann', { name: 'broken', files: { 'model.ts': model } })
    const { exitCode, stdout, stderr } = await origami(['deploy', broken])
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr.split('\n').slice(-10).join('\n')).toMatch(/^ {2}.*the weights are not there/m)
    expect(stderr.split('\n').at(-1)).toMatch(/^(start_failed|unhealthy|runtime_error): /)
    const log = await origami(['logs', 'ann/broken'])
    expect(log.stdout).toContain('␛[2Jloud')
    expect(log.stdout + stderr).not.toContain('\u001b')
    const lines = (await origami(['logs', 'ann/broken', '--json'])).stdout.split('\n').map((line) => JSON.parse(line))
    expect(lines).toContainEqual({ at: expect.any(String), source: 'demo', text: '\u001b[2Jloud' })
  })

  test('a private repository is public only when a flag says so; a known demo is unlisted by one, and never made public', async () => {
    const secret = await world.push('tests/demos/gated', 'ann', { private: true, name: 'secret' })
    await ann.authorize(`${world.url}/-/sign-in/${world.github.forge.host}?scope=repo&return=/`, world.github, 'ann')
    const asked = await origami(['deploy', secret, '--no-wait'])
    expect([asked.exitCode, asked.stdout]).toEqual([1, ''])
    for (const text of ['The repository is private', '--public', '--private']) expect(asked.stderr).toContain(text)
    expect(await ann.status('GET', '/-/api/demos/ann/secret')).toBe(404)
    const isPublic = async (name: string) =>
      (await ann.call('GET /-/api/demos/:account/:name', { params: { account: 'ann', name } })).public
    const shown = await origami(['deploy', secret, '--public', '--no-wait'])
    expect([shown.exitCode, shown.stderr, await isPublic('secret')]).toEqual([0, '', true])
    const hidden = await origami(['deploy', secret, '--private', '--no-wait'])
    expect(hidden).toMatchObject({ exitCode: 0, stdout: `${world.url}/ann/secret` })
    expect([hidden.stderr, await isPublic('secret')]).toEqual([`already a demo: ${world.url}/ann/secret`, false])
    expect(await origami(['deploy', secret, '--no-wait'])).toMatchObject({ exitCode: 0 })
    const refused = await origami(['deploy', secret, '--public', '--no-wait'])
    expect([refused.exitCode, await isPublic('secret')]).toEqual([1, false])
    expect(refused.stderr).toContain('make it public on its page')
    expect((await origami(['deploy', secret, '--public', '--private'])).exitCode).toBe(1)
    await ann.call('DELETE /-/api/demos/:account/:name', { params: { account: 'ann', name: 'secret' } })
  })

  test('a deploy is judged by its own deployment, or the one that took its place, not by the newest', async () => {
    const gate = join(world.folder, 'start-gate')
    const model = `import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
while (!existsSync(${JSON.stringify(gate)})) await setTimeout(20)
throw new Error('opened, and broken')
`
    const held = await world.push('tests/demos/gated', 'ann', { name: 'held', files: { 'model.ts': model } })
    /**
     * The command once it told a step of its deployment; in an array, since a promise of a process would be its end.
     */
    const following = async (step: string) => {
      const deploying = origami(['deploy', held])
      let printed = ''
      deploying.stderr.on('data', (text: Buffer) => {
        printed += text.toString()
      })
      await vi.waitFor(() => expect(printed).toContain(`/ann/held: ${step}`))
      return [deploying]
    }
    const [active] = await following('starting')
    const [superseded] = await following('queued')
    const third = await ann.call('POST /-/api/demos/:account/:name/deploy', {
      params: { account: 'ann', name: 'held' },
    })
    await writeFile(gate, '')
    for (const deploying of [active, superseded])
      expect(await deploying).toMatchObject({
        exitCode: 1,
        stdout: '',
        stderr: expect.stringContaining('opened, and broken'),
      })
    await ann.settled('/ann/held', third.detail?.newest?.id)
  })

  test('paths are meant from the folder one stands in, also by npm run', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'origami-stand-'))
    const args = [
      '--silent',
      '--prefix',
      join(import.meta.dirname, '..'),
      'run',
      'origami',
      '--',
      'init',
      'new',
      '--json',
    ]
    const { stdout } = await execa('npm', args, { cwd: folder })
    expect(JSON.parse(stdout).folder).toBe(join(await realpath(folder), 'new'))
    await rm(folder, { recursive: true })
  })

  test.each([
    ['https://github.com/Ann/x', 'https://github.com/Ann/x'],
    ['https://token@github.com/ann/x.git', 'https://github.com/ann/x'],
    ['git@github.com:ann/x.git', 'https://github.com/ann/x'],
    ['ssh://git@code.example.org:2222/ann/x.git/', 'https://code.example.org/ann/x'],
    ['git@code.example.org:lab/vision/x.git', 'https://code.example.org/lab/vision/x'],
  ])('the remote %s is the repository %s', (remote, link) => {
    expect(linkOf(remote)).toBe(link)
  })

  test.each(['/srv/git/x.git', 'file:///srv/x.git', 'https://secret@github.com/x', 'https://github.com/a/b/c'])(
    'the remote %s is none',
    (remote) => {
      expect(() => linkOf(remote)).toThrow('give a link')
      expect(() => linkOf(remote)).not.toThrow('secret')
    },
  )

  test.each([
    [['deploy', 'https://evil.example/a/b'], 'is not in the table of forges'],
    [['stop', 'nobody/nothing'], 'There is no such demo'],
    [['stop', 'nonsense'], 'expected account/name, got nonsense'],
    [['serve', '/nowhere/model.py'], 'there is no /nowhere/model.py'],
    [['serve', 'README.md'], 'expected a model in Python (.py) or TypeScript (.ts)'],
    [['serve', 'README.md', '--port', 'web'], '--port: expected 0 to 65535, got web'],
    [['bundle', '/nowhere'], 'expected one of model.py'],
    [['up', '--private-network', 'lab'], 'expected a network such as 10.0.0.0/8, got lab'],
    [['up', '--engine', 'process', '--host', '0.0.0.0'], 'the process engine isolates nothing'],
    [['up', '--engine', 'process', '--public-url', 'https://demos.test'], 'demos.test is not loopback'],
    [['up', '--engine', 'process', '--deployer', 'github.com/ann'], 'github.com/ann may deploy'],
  ])('%j ends with words, not with a stack', async (args, message) => {
    const { exitCode, stderr } = await origami(args)
    expect(exitCode).toBe(1)
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('at ')
  })

  test.each([
    [['status']],
    [['stats']],
    [['status', 'ann/unlisted']],
    [['logs', 'ann/unlisted']],
    [['deploy', 'https://github.test/ann/gated']],
    [['stop', 'ann/unlisted']],
    [['start', 'ann/unlisted']],
    [['remove', 'ann/unlisted']],
  ])('%j without a token says how to sign in, and so it does with one that is none', async (args) => {
    const without = await origami(args, { ORIGAMI_TOKEN: '', HOME: world.folder })
    expect([without.exitCode, without.stdout]).toEqual([1, ''])
    expect(without.stderr).toContain(`not signed in: origami login ${world.url}`)
    const wrong = await origami(args, { ORIGAMI_TOKEN: 'not-one-of-ours' })
    expect([wrong.exitCode, wrong.stdout]).toEqual([1, ''])
    expect(wrong.stderr).toContain(`does not take your token (any more): origami login ${world.url}`)
  })
})
