import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'

test('a message is the same with orjson and without it, and so is what is refused', async () => {
  const { stdout } = await execa('python3', [join(import.meta.dirname, 'python/encoded.py')], {
    env: { PYTHONPATH: join(import.meta.dirname, '../python'), PYTHONDONTWRITEBYTECODE: '1' },
  })
  const written = JSON.parse(stdout) as { with: string[]; without: string[] }
  expect(written.with).toEqual(written.without)
  expect(written.without.filter((one) => !one.startsWith('{'))).toEqual([
    'ValueError',
    'ValueError',
    'ValueError',
    'TypeError',
    'TypeError',
    'TypeError',
  ])
})
