import { spawn } from 'node:child_process'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Accounts } from './accounts.ts'
import type { Repositories } from './repositories.ts'

/**
 * git over smart HTTP, by git's own CGI program; a private repository needs a token as the password, a push the token
 * of its owner.
 */
export async function gitBackend(
  accounts: Accounts,
  repositories: Repositories,
  request: IncomingMessage,
  url: URL,
  response: ServerResponse,
): Promise<void> {
  const match = /^\/([^/]+)\/([^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(url.pathname)
  const basic = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString()
  const grant = accounts.grant(basic.split(':')[1])
  const [, owner = '', name = '', service = ''] = match ?? []
  const pushes = service === 'git-receive-pack' || url.searchParams.get('service') === 'git-receive-pack'
  const found = repositories.find(owner, name, grant)
  if (!found || (pushes && grant?.user.login !== found.owner)) {
    const challenge = basic === '' ? { 'www-authenticate': 'Basic realm="GitHub"' } : {}
    return void response.writeHead(basic === '' ? 401 : 404, challenge).end('Repository not found.')
  }
  const env = {
    PATH: process.env.PATH,
    GIT_PROJECT_ROOT: repositories.root,
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: `/${owner}/${name}.git/${service}`.toLowerCase(),
    QUERY_STRING: url.search.slice(1),
    REQUEST_METHOD: request.method,
    CONTENT_TYPE: request.headers['content-type'] ?? '',
    GIT_PROTOCOL: request.headers['git-protocol'] as string | undefined,
    HTTP_CONTENT_ENCODING: request.headers['content-encoding'],
    REMOTE_USER: grant?.user.login,
  }
  const backend = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  request.pipe(backend.stdin)
  let head = Buffer.alloc(0)
  for await (const part of backend.stdout) {
    if (response.headersSent) response.write(part)
    else {
      head = Buffer.concat([head, part as Buffer])
      const end = head.indexOf('\r\n\r\n')
      if (end < 0) continue
      const headers = Object.fromEntries(
        head
          .toString('utf8', 0, end)
          .split('\r\n')
          .map((line) => line.split(/: ?(.*)/).slice(0, 2)),
      )
      const status = Number.parseInt(headers.Status ?? '200', 10)
      delete headers.Status
      response.writeHead(status, headers)
      response.write(head.subarray(end + 4))
    }
  }
  response.end()
}
