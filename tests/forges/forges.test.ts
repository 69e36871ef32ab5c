import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ForgeEntry, ForgeKind } from '@origami/protocol/control'
import { expect, test } from 'vitest'
import { defaultLimits } from '../../packages/web/src/server/config.ts'
import { openForges } from '../../packages/web/src/server/forges/forges.ts'
import { startFakeGithub } from '../fake-github/fake-github.ts'
import { Repositories } from '../fake-github/repositories.ts'
import { type Capability, type ForgeUnderTest, forgeContract, type PushedRepository } from './contract.ts'

const contracts: Record<ForgeKind, { can: readonly Capability[]; start: () => Promise<ForgeUnderTest> }> = {
  github: { can: ['signIn', 'people', 'repositories', 'pages'], start: startGithub },
  folder: { can: [], start: startFolder },
}
for (const [kind, { can, start }] of Object.entries(contracts)) forgeContract(kind, can, start)

test('an OAuth app of a forge where nobody can sign in is told to the operator', () => {
  const logged: string[] = []
  open({ host: 'code.test', kind: 'github', git: 'https://code.test' }, { log: (line) => void logged.push(line) })
  expect(logged).toEqual([expect.stringContaining('Nobody can sign in with code.test')])
})

const app = { clientId: 'id', clientSecret: 'secret' }

function open(entry: ForgeEntry, { oauth = app, log = (_: string) => {} } = {}) {
  const [forge] = openForges({ entries: [entry], apps: { [entry.host]: oauth }, limits: defaultLimits, log })
  if (!forge) throw new Error('no forge was opened')
  return forge
}

async function startGithub(): Promise<ForgeUnderTest> {
  const github = await startFakeGithub()
  const pushed = async (name: string, isPrivate: boolean): Promise<PushedRepository> => {
    await github.repo('ann', name, { private: isPrivate })
    const push = (folder: string, message: string) => github.push('ann', name, folder, message)
    return { owner: 'ann', name, ...(await pushedTo(push, name)) }
  }
  return {
    forge: open(github.forge, { oauth: github.oauth }),
    open: await pushed('digits', false),
    secret: await pushed('secret', true),
    approve: (page) => github.approve(page, 'ann'),
    revoke: () => github.revokeTokens(),
    [Symbol.asyncDispose]: () => github[Symbol.asyncDispose](),
  }
}

/** Folders in folders, where links go deeper than two names. */
async function startFolder(): Promise<ForgeUnderTest> {
  const root = await mkdtemp(join(tmpdir(), 'origami-folder-'))
  const repositories = new Repositories(root)
  const [owner, name] = ['lab/vision', 'digits']
  await repositories.make(owner, name, false)
  const push = (folder: string, message: string) => repositories.push(owner, name, folder, message)
  return {
    forge: open({ host: 'folder.test', kind: 'folder', git: pathToFileURL(root).href }),
    open: { owner, name, ...(await pushedTo(push, name)) },
    approve: async () => Promise.reject(new Error('nobody signs in at a folder')),
    revoke: () => {},
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  }
}

async function pushedTo(push: (folder: string, message: string) => Promise<string>, name: string) {
  const folder = await mkdtemp(join(tmpdir(), 'origami-pushed-'))
  try {
    await writeFile(join(folder, '.origami'), '')
    const message = `${name} in one line`
    return { commit: await push(folder, `${message}\n\nand more`), message }
  } finally {
    await rm(folder, { recursive: true })
  }
}
