import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SealedBox } from '@origami/host/sealed-box'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openVault } from '../../src/state/vault.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-vault-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('what one daemon sealed the next one in its folder unseals, for that deployment alone', async () => {
  const sealed = (await openVault(folder)).seal('the token', 'deployment-1')
  const next = await openVault(folder)
  expect(next.unseal(sealed, 'deployment-1')).toBe('the token')
  expect(() => next.unseal(sealed, 'deployment-2')).toThrow()
})

test('its key is for tokens alone, and for its owner alone', async () => {
  const sealed = (await openVault(folder)).seal('the token', 'deployment-1')
  const path = join(folder, 'secret.key')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  const other = new SealedBox(await readFile(path), 'another purpose')
  expect(() => other.unseal(sealed, 'deployment-1')).toThrow()
})

test('a key that others can read is refused, with what to do', async () => {
  await openVault(folder)
  await chmod(join(folder, 'secret.key'), 0o644)
  await expect(openVault(folder)).rejects.toThrow(/secret\.key can be read by others \(mode 644\); chmod 600 it/)
})
