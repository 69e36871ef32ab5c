import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { settingFlags } from '../../src/settings/flags.ts'

describe('the flags of a verb', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'origami-flags-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  const flags = settingFlags(
    ['data', 'port', 'engine', 'deployers', 'trust_demos', ['daemon.host', '--host <address>']],
    {
      engine: 'process',
    },
  )
  const command = (...args: string[]) =>
    flags
      .addTo(new Command())
      .exitOverride()
      .parse(['--data', folder, ...args], { from: 'user' })
  const read = async (...args: string[]) => flags.read(command(...args))

  test('set what they name, and nothing else', async () => {
    const { values, effective } = await read('--port', '1', '--host', '::1', '--trust-demos')
    expect(values).toMatchObject({ port: 1, 'daemon.host': '::1', host: '127.0.0.1', trust_demos: true })
    const froms = effective.filter(({ from }) => from !== 'default').map(({ name, from }) => `${name} ${from}`)
    expect(froms).toEqual(['data --data', 'port --port', 'trust_demos --trust-demos', 'daemon.host --host'])
  })

  test('may be given again where there may be many', async () => {
    const { values, limits } = await read(
      ...['--deployer', 'ann', '--deployer', 'bob', '--limit', 'waiting=2', '--limit', 'retry_after=1s,2s'],
      ...['--limit', 'waiting=3'],
    )
    expect(values.deployers).toEqual(['ann', 'bob'])
    expect(limits.daemon).toMatchObject({ waiting: 2, retryMs: [1000, 2000] })
  })

  test('leave a default of the verb standing, below the file', async () => {
    expect((await read()).values.engine).toBe('process')
    await writeFile(join(folder, 'other.yaml'), 'engine: docker')
    expect((await read('--config', join(folder, 'other.yaml'))).values.engine).toBe('docker')
  })

  test('show their defaults', () => {
    const help = flags.addTo(new Command()).configureHelp({ helpWidth: 500 }).helpInformation()
    expect(help).toMatch(/--port <port> +port of the web server \(8000 when not set\)/)
    expect(help).toMatch(/--engine <engine> +where demos run \(process when not set\)/)
    expect(help).toMatch(/--deployer <forge\/login> +who is added.*; may be given again/)
  })

  test.each([
    ['--limit waiting', '--limit: expected name=value, such as waiting=200, got waiting'],
    ['--limit waiting=', '--limit: expected name=value'],
    ['--limit =3', '--limit: expected name=value'],
    ['--limit waitng=3', '--limit waitng: there is no setting "limits.waitng"; did you mean limits.waiting?'],
    ['--limit waiting=x', '--limit waiting: expected a whole number from 1, got x'],
    ['--port lots', '--port: expected a whole number from 0 to 65535, got lots'],
    ['--deployer @ann', '--deployer: expected forge/login, such as github.com/ann, got @ann'],
  ])('%s is refused with its flag', async (args, message) => {
    await expect(read(...args.split(' '))).rejects.toThrow(message)
  })
})
