import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Accounts } from './accounts.ts'
import type { Repositories, Repository } from './repositories.ts'

/** The REST API, as far as Origami asks it. */
export async function answerApi(
  accounts: Accounts,
  repositories: Repositories,
  request: IncomingMessage,
  url: URL,
  response: ServerResponse,
): Promise<void> {
  const token = /^(?:token|bearer) (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  const grant = accounts.grant(token)
  const answer = (status: number, body: unknown) =>
    void response
      .writeHead(status, { 'content-type': 'application/json', 'x-oauth-scopes': grant?.scope ?? '' })
      .end(JSON.stringify(body))
  if (token && !grant) return answer(401, { message: 'Bad credentials' })
  const [, , , root, ...rest] = url.pathname.split('/').map(decodeURIComponent)
  if (root === 'user' && !grant) return answer(401, { message: 'Requires authentication' })
  if (root === 'user' && grant && rest.length === 0)
    return answer(200, { id: grant.user.id, login: grant.user.login, name: null, avatar_url: null })
  if (root === 'user' && grant && rest[0] === 'repos') {
    const [page, size] = ['page', 'per_page'].map((name) => Number(url.searchParams.get(name)))
    return answer(
      200,
      repositories
        .byOwner(grant)
        .slice(((page || 1) - 1) * (size || 30), (page || 1) * (size || 30))
        .map(present),
    )
  }
  const user = root === 'users' ? accounts.find(rest[0] ?? '') : undefined
  if (user) return answer(200, { id: user.id, login: user.login, name: null, avatar_url: null })
  const [owner = '', name = '', kind, ...more] = rest
  const found = root === 'repos' ? repositories.find(owner, name, grant) : undefined
  if (!found) return answer(404, { message: 'Not Found' })
  if (kind === undefined) return answer(200, present(found))
  if (kind === 'contents')
    return (await repositories.has(found, more.join('/')))
      ? answer(200, { path: more.join('/') })
      : answer(404, { message: 'Not Found' })
  const head = kind === 'commits' ? await repositories.head(found) : undefined
  return head
    ? answer(200, { sha: head.sha, commit: { message: head.message } })
    : answer(409, { message: 'Git Repository is empty.' })
}

const present = ({ owner, name, private: isPrivate }: Repository) => ({
  owner: { login: owner },
  name,
  description: null,
  private: isPrivate,
  pushed_at: null,
})
