import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ForgeEntry } from '@origami/protocol/control'
import { Accounts } from './accounts.ts'
import { answerApi } from './api.ts'
import { gitBackend } from './git-backend.ts'
import { authorizePage, exchange } from './oauth.ts'
import { Repositories } from './repositories.ts'

/**
 * A GitHub of one's own on loopback: OAuth pages, the REST API as far as Origami asks it, git over smart HTTP behind
 * tokens.
 */
export interface FakeGithub extends AsyncDisposable {
  readonly forge: ForgeEntry
  readonly oauth: { readonly clientId: string; readonly clientSecret: string }
  /** Makes an account, once. */
  user(login: string): Promise<void>
  /** Gives an account another login: the one it had is free. */
  rename(login: string, to: string): void
  /** Makes a repository, once. */
  repo(owner: string, name: string, options: { private: boolean }): Promise<void>
  /** Commits a folder's content, in place of what was there, and pushes it. */
  push(owner: string, name: string, folder: string, message: string): Promise<string>
  /** A token of an account that may read and write all that is its own, as people make for git. */
  token(login: string): string
  /** Every token handed out so far. */
  tokens(): readonly string[]
  /** Revokes every token, as people do in their settings. */
  revokeTokens(): void
  /** Opens an authorise page and presses its button in `login`'s name. Answers where it sends the browser. */
  approve(url: string, login: string): Promise<string>
}

/** `host`: what links call it. */
export async function startFakeGithub({ host = 'github.test' }: { host?: string } = {}): Promise<FakeGithub> {
  const folder = await mkdtemp(join(tmpdir(), 'origami-github-'))
  const accounts = new Accounts()
  const repositories = new Repositories(folder)
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const answering = url.pathname.startsWith('/api/v3/')
      ? answerApi(accounts, repositories, request, url, response)
      : url.pathname === '/login/oauth/authorize'
        ? authorizePage(accounts, request, url, response)
        : url.pathname === '/login/oauth/access_token'
          ? exchange(accounts, request, response)
          : gitBackend(accounts, repositories, request, url, response)
    answering.catch((error: unknown) => response.writeHead(500).end(String(error)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    forge: { host, kind: 'github', web: address, api: `${address}/api/v3`, git: address },
    oauth: accounts.app,
    token: (login) => accounts.token({ user: accounts.user(login), scope: 'repo' }),
    tokens: () => accounts.handedOut(),
    revokeTokens: () => accounts.revokeAll(),
    user: async (login) => void accounts.user(login),
    rename: (login, to) => accounts.rename(login, to),
    repo: (owner, name, options) => repositories.make(owner, name, options.private),
    push: (owner, name, from, message) => repositories.push(owner, name, from, message),
    async approve(url, login) {
      const form = new URLSearchParams({ login, ...Object.fromEntries(new URL(url).searchParams) })
      const response = await fetch(new URL('/login/oauth/authorize', url), {
        method: 'POST',
        body: form,
        redirect: 'manual',
      })
      const location = response.headers.get('location')
      if (!location) throw new Error(`the authorise page answered ${response.status}: ${await response.text()}`)
      return location
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
