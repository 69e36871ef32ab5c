import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureCertificates } from '@origami/web'
import { execa } from 'execa'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startOrigamiVerb } from './verb.ts'

interface Shown {
  running: {
    verb: string
    pid: number
    settings: { name: string; value: string; from: string }[]
    error: string | null
  }[]
  settings: { name: string; value: string; from: string }[] | null
  error: string | null
}

const main = join(import.meta.dirname, '../packages/cli/src/main.ts')

describe('settings while a server runs', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'origami-settings-'))
    await ensureCertificates(folder)
  })
  afterAll(() => rm(folder, { recursive: true }))

  const file = (text: string) => writeFile(join(folder, 'origami.yaml'), text)
  const origami = (args: string[], env: Record<string, string> = {}) =>
    execa(process.execPath, [main, ...args, '--data', folder], { env, reject: false })
  const config = async () => JSON.parse((await origami(['config', '--json'])).stdout) as Shown
  const runningSetting = async (name: string) =>
    (await config()).running[0]?.settings.find((setting) => setting.name === name)

  test('SIGHUP puts limits of the web server in force; a broken file changes nothing, and is told by the log and origami config', async () => {
    await file('limits: {requests: 1000}')
    await using web = await startOrigamiVerb('web', ['--data', folder, '--port', '0'], /Origami is at (\S+)/)
    await web.printed(`Its daemon is expected at https://127.0.0.1:6001 (origami daemon --data ${folder})`)
    const status = async () => (await fetch(`${web.url}/-/api/session`)).status
    expect([await status(), await status(), await status()]).toEqual([200, 200, 200])
    expect(await runningSetting('limits.requests')).toEqual({
      name: 'limits.requests',
      value: '1000',
      from: `${join(folder, 'origami.yaml')}:1`,
      live: true,
    })

    await file('limits: {requests: 2}')
    web.signal('SIGHUP')
    await web.printed('The settings were read again.')
    expect(await status()).toBe(429)

    const forwarded = async () =>
      (await fetch(`${web.url}/-/api/session`, { headers: { 'x-forwarded-for': '203.0.113.9' } })).status
    expect(await forwarded()).toBe(429)
    await file('limits: {requests: 2}\ntrusted_proxies: [127.0.0.1]')
    web.signal('SIGHUP')
    await vi.waitFor(async () => expect(await forwarded()).toBe(200))
    expect(await runningSetting('trusted_proxies')).toMatchObject({ value: '127.0.0.1' })

    await file('limits: {requests: 1000, waitng: 3}')
    web.signal('SIGHUP')
    await web.printed('The settings of before stay in force')
    await web.printed('unknown key "waitng"; did you mean waiting?')
    expect(await status()).toBe(429)
    const shown = await origami(['config'])
    expect(shown.exitCode).toBe(1)
    expect(shown.stdout).toContain('The settings of before stay in force: ')
    expect(await runningSetting('limits.requests')).toMatchObject({ value: '2' })

    await file('limits: {requests: 1000, sign_ins: 1}\nprivate_networks: [10.0.0.0/8]')
    web.signal('SIGHUP')
    await web.printed('A restart is needed for: private_networks')
    expect(await status()).toBe(200)
    const ask = async () => (await fetch(`${web.url}/-/api/device`, { method: 'POST' })).status
    expect([await ask(), await ask()]).toEqual([200, 429])
    expect(await runningSetting('private_networks')).toMatchObject({ value: '', from: 'default' })
    expect((await origami(['config'])).stdout).toContain('A restart is needed for: private_networks')
  })

  test('SIGHUP puts limits of the daemon in force', async () => {
    await file('limits: {body: 32m}')
    const tls = (name: string) => readFile(join(folder, 'web/tls', name))
    const agent = new Agent({
      connect: { ca: await tls('ca.pem'), cert: await tls('cert.pem'), key: await tls('key.pem') },
    })
    const flags = ['--data', folder, '--daemon-port', '0', '--engine', 'process']
    await using daemon = await startOrigamiVerb('daemon', flags, /The daemon listens at (\S+)/)
    const status = async () => {
      const answer = await request(`${daemon.url}/deploy_trigger`, {
        dispatcher: agent,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ padding: 'x'.repeat(2000) }),
      })
      await answer.body.dump()
      return answer.statusCode
    }
    expect(await status()).toBe(422)
    await file('limits: {body: 1k}')
    daemon.signal('SIGHUP')
    await daemon.printed('The settings were read again.')
    expect(await status()).toBe(413)
    await agent.destroy()
  })

  test('origami config shows what runs, and forgets it when it ends; without a server it shows what the next would go by', async () => {
    await file('limits: {requests: 7}')
    {
      const flags = ['--data', folder, '--port', '0', '--daemon-port', '0', '--engine', 'process']
      await using up = await startOrigamiVerb('up', flags, /Origami is at (\S+)/)
      expect((await config()).running).toMatchObject([{ verb: 'up', pid: up.pid, error: null }])
      expect(await runningSetting('engine')).toMatchObject({ value: 'process', from: '--engine' })
      await file('limits: {requests: 8}')
      up.signal('SIGHUP')
      await up.printed('The settings were read again.')
      expect(await runningSetting('limits.requests')).toMatchObject({ value: '8' })
    }
    const { running, settings } = await config()
    expect(running).toEqual([])
    expect(settings?.find(({ name }) => name === 'limits.requests')).toMatchObject({ value: '8' })
    const output = (await origami(['config'])).stdout
    expect(output).toMatch(/limits\.requests +8 +\S*origami\.yaml:1/)
  })

  test('no secret is printed, and one may come from a file', async () => {
    await file('')
    await writeFile(join(folder, 'secret'), 'hush-hush\n', { mode: 0o600 })
    const app = { ORIGAMI_GITHUB_CLIENT_ID: 'an-app', ORIGAMI_GITHUB_CLIENT_SECRET_FILE: join(folder, 'secret') }
    for (const args of [['config'], ['config', '--json']]) {
      const { stdout } = await origami(args, app)
      expect(stdout).toMatch(/OAuth app of github\.com(","value":")? *set/)
      expect(stdout).not.toContain('hush-hush')
    }
  })
})
