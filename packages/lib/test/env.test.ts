import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { defaultSettings, runtimeSettings } from '../src/env.ts'

describe('the environment of a runtime', () => {
  test('says what it says; what is missing or empty is the default', () => {
    expect(runtimeSettings({ PORT: '', ORIGAMI_NAME: '', ORIGAMI_FILES_BYTES: '' })).toEqual({
      ...defaultSettings,
      port: undefined,
      portFile: undefined,
      python: undefined,
      name: undefined,
      files: undefined,
      inputs: undefined,
      filesBytes: undefined,
    })
    const said = runtimeSettings({ PORT: '0', ORIGAMI_HOST: '::', ORIGAMI_FILES_BYTES: '5', ORIGAMI_BODY_BYTES: '6' })
    expect(said).toMatchObject({
      port: 0,
      host: '::',
      filesBytes: 5,
      bodyBytes: 6,
      fileBytes: defaultSettings.fileBytes,
    })
  })

  test.each([
    ['PORT', '65536', 'PORT: expected 0 to 65535, got "65536"'],
    ['PORT', 'http', 'PORT: expected 0 to 65535, got "http"'],
    [
      'ORIGAMI_FILES_BYTES',
      '1g',
      'ORIGAMI_FILES_BYTES: expected a whole number of bytes, such as 1073741824, got "1g"',
    ],
    ['ORIGAMI_BODY_BYTES', '-1', 'ORIGAMI_BODY_BYTES: expected a whole number of bytes'],
    ['ORIGAMI_FILE_BYTES', '0', 'ORIGAMI_FILE_BYTES: expected a whole number of bytes'],
    ['ORIGAMI_FILE_BYTES', '1e999', 'ORIGAMI_FILE_BYTES: expected a whole number of bytes'],
    ['ORIGAMI_FILE_BYTES', '9'.repeat(20), 'ORIGAMI_FILE_BYTES: expected a whole number of bytes'],
  ])('%s=%s is refused with what was expected', (name, value, expected) => {
    expect(() => runtimeSettings({ [name]: value })).toThrow(expected)
  })

  test('is documented, each variable and no other', async () => {
    const asked = new Set<string>()
    runtimeSettings(new Proxy({}, { get: (_, name) => void asked.add(String(name)) }))
    const operator = await readFile(join(import.meta.dirname, '../../../docs/operator.md'), 'utf8')
    const table = operator.split(/<!-- \/?runtime-variables -->/)[1] ?? ''
    const documented = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name)
    expect(documented.toSorted()).toEqual([...asked, 'ORIGAMI_IMPORT_PATIENCE'].toSorted())
  })
})
