import type { OAuthApp } from '../config.ts'
import type { Forge, ForgePages, ForgeParts, ForgeSignIn } from './forge.ts'
import { GithubApi } from './github-api.ts'
import { authorizeUrl, exchangeCode } from './oauth.ts'

/** It allows to read and write all repositories of a person, because GitHub has no scope that only reads. */
const privateScope = 'repo'

/** github.com, or a GitHub Enterprise. */
export function githubForge({ entry, app, limits }: ForgeParts): Forge {
  const { host, web, api } = entry
  const asked = api === undefined ? undefined : (token?: string) => new GithubApi({ host, api, token, limits })
  return {
    entry,
    signIn: web && asked && app ? signIn({ host, web, app, limits, asked }) : undefined,
    people: asked && { find: (login) => asked().account(login) },
    repositories: asked && {
      readsPrivate: ({ scope }) => scope.split(/[ ,]/).includes(privateScope),
      reader: (grant) => asked(grant?.token),
    },
    pages: web === undefined ? undefined : pages(web),
  }
}

interface GitHubSignInParts {
  readonly host: string
  readonly web: string
  readonly app: OAuthApp
  readonly limits: ForgeParts['limits']
  readonly asked: (token: string) => GithubApi
}

/** Source: docs.github.com, "Authorizing OAuth apps", web application flow. */
const signIn = ({ host, web, app, limits, asked }: GitHubSignInParts): ForgeSignIn => ({
  async authorize(request) {
    const scope = request.privateRepositories ? privateScope : ''
    return authorizeUrl(new URL('/login/oauth/authorize', web), app, scope, request)
  },
  async finish(returned) {
    const grant = await exchangeCode(host, new URL('/login/oauth/access_token', web), app, returned, limits)
    return { grant, user: await asked(grant.token).user() }
  },
})

const pages = (web: string): ForgePages => ({
  commit: ({ owner, name }, sha) => new URL(`/${owner}/${name}/commit/${sha}`, web).href,
  file: ({ owner, name }, sha, path) =>
    new URL(`/${owner}/${name}/blob/${sha}/${path.split('/').map(encodeURIComponent).join('/')}`, web).href,
})
