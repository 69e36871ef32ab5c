import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { rows } from '../../src/settings/file-schema.ts'
import { readSettings, variableOf } from '../../src/settings/read-settings.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-read-'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

const data = () => ({ name: 'data', written: folder, flag: '--data' })

describe('settings', () => {
  test('come from the flag, else the environment, else the file, else the default, each by itself', async () => {
    const whole = rows.filter(({ kind }) => kind.expected === 'a whole number from 1')
    const names = [...whole.map(({ name }) => name), 'port']
    const sources = fc.subarray(['flag', 'environment', 'file'] as const)
    const choices = fc.dictionary(fc.constantFrom(...names), sources)
    expect(names.length).toBeGreaterThan(20)
    await fc.assert(
      fc.asyncProperty(choices, async (sourcesByName) => {
        const chosen = Object.entries(sourcesByName)
        const where = (which: 'flag' | 'environment' | 'file') => chosen.filter(([, each]) => each.includes(which))
        const lines = where('file').map(([name]) => (name.startsWith('limits.') ? `  ${name.slice(7)}: 3` : undefined))
        const top = where('file').flatMap(([name]) => (name.includes('.') ? [] : [`${name}: 3`]))
        await writeFile(join(folder, 'origami.yaml'), [...top, 'limits:', ...lines.filter(Boolean)].join('\n'))
        for (const [name] of where('environment')) vi.stubEnv(variableOf(name), '2')
        const flags = where('flag').map(([name]) => ({ name, written: '1', flag: `--${name}` }))
        const { effective } = await readSettings([data(), ...flags])
        vi.unstubAllEnvs()
        for (const { name, value, from } of effective.filter((one) => names.includes(one.name))) {
          const each = sourcesByName[name] ?? []
          if (each.includes('flag')) expect([value, from]).toEqual(['1', `--${name}`])
          else if (each.includes('environment')) expect([value, from]).toEqual(['2', variableOf(name)])
          else if (each.includes('file'))
            expect([value, from.replace(/:\d+$/, '')]).toEqual(['3', join(folder, 'origami.yaml')])
          else expect(from).toBe('default')
        }
      }),
      { numRuns: 30 },
    )
  })

  test('of an empty variable are as if it were not there', async () => {
    vi.stubEnv('ORIGAMI_PORT', '')
    const { effective } = await readSettings([data()])
    expect(effective.find(({ name }) => name === 'port')).toMatchObject({ value: '8000', from: 'default' })
  })

  test('are read from the file that is named, else from that which the environment names, else beside the data', async () => {
    for (const name of ['flag', 'environment', 'origami'])
      await writeFile(join(folder, `${name}.yaml`), `host: ${name}.example.org`)
    vi.stubEnv('ORIGAMI_CONFIG', join(folder, 'environment.yaml'))
    expect((await readSettings([data()], join(folder, 'flag.yaml'))).values.host).toBe('flag.example.org')
    expect((await readSettings([data()])).values.host).toBe('environment.example.org')
    vi.stubEnv('ORIGAMI_CONFIG', '')
    expect(await readSettings([data()])).toMatchObject({
      values: { host: 'origami.example.org' },
      file: join(folder, 'origami.yaml'),
    })
  })

  test('keep their file where it is, though it says that the data are elsewhere', async () => {
    await writeFile(join(folder, 'origami.yaml'), 'data: other')
    const { values, file } = await readSettings([], join(folder, 'origami.yaml'))
    expect([values.data, file]).toEqual([join(folder, 'other'), join(folder, 'origami.yaml')])
  })
})
