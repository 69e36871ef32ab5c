import { access, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
// What this run tells at its end is not what the runs in it tell.
const node = (args: string[], env: Record<string, string> = {}) =>
  execa(process.execPath, ['--import', './scripts/node24.mjs', ...args], {
    cwd: root,
    env: { ORIGAMI_TEST_SUMMARY: '', ...env },
    reject: false,
  })

describe('npm test', () => {
  const withoutBrowser = (env: Record<string, string>) =>
    node(['scripts/test.ts', 'packages/protocol/test/demo/manifest.test.ts'], { ORIGAMI_CHROMIUM: '/nowhere', ...env })

  test('lists each suite left out, why, and what would make it run', async () => {
    const { exitCode, stdout } = await withoutBrowser({ ORIGAMI_TEST_REQUIRE: '' })
    expect(exitCode).toBe(0)
    expect(stdout).toContain(
      'left out: Pages in Chromium (*.browser.test.ts): no Chromium (ORIGAMI_CHROMIUM names another place). To run it: apt-get install chromium',
    )
    expect(stdout).toMatch(
      /^slowest files:\n +[\d.]+ s {2}packages\/protocol\/test\/demo\/manifest\.test\.ts\ntests: \d+ passed, 0 failed$/m,
    )
  })

  test('with everything required, a suite left out is a failure', async () => {
    const { exitCode, stdout } = await withoutBrowser({ ORIGAMI_TEST_REQUIRE: 'all' })
    expect(exitCode).toBe(1)
    expect(stdout).toContain('ORIGAMI_TEST_REQUIRE=all: a suite left out is a failure')
  })
})

test('every script and the bench say with --help what they do, and do nothing else', async () => {
  const scripts = (await readdir(join(root, 'scripts')))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `scripts/${name}`)
  for (const script of [...scripts, 'bench/main.ts', 'bench/way.ts']) {
    const { exitCode, stdout, stderr } = await node([script, '--help'])
    expect([script, exitCode, stderr]).toEqual([script, 0, ''])
    expect(stdout, script).toMatch(/^npm (run )?[a-z-]+/)
  }
})

test('each promise names tests that exist', async () => {
  const promises = await readFile(join(root, 'docs/promises.md'), 'utf8')
  const rows = promises.split('\n').filter((line) => /^\| P\d+\s/.test(line))
  const named = rows.map((row) => [...row.matchAll(/`((?:tests|packages)\/[^`]+)`/g)].map(([, path = '']) => path))
  expect(rows).toHaveLength(12)
  expect(named.filter((paths) => paths.length === 0)).toEqual([])
  for (const path of named.flat()) await access(join(root, path))
})
