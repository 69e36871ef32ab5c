import { type Answer, callers, errorBody, type WebEndpoint } from '@origami/protocol/control'

/**
 * What the web server's document says about each endpoint by its kind: who may call it, how they authenticate, and what
 * it refuses.
 */
export function remarksOn(
  endpoint: WebEndpoint,
  key: string,
): { operation: Record<string, unknown>; answers: Record<string, Answer> } {
  const kind = { ...endpoint, own: key.includes(' /-/'), change: !key.startsWith('GET ') }
  return {
    operation: {
      'x-origami-who': `${callers[endpoint.who]}${scopeWords[endpoint.scope]}`,
      'x-origami-scope': endpoint.scope,
      ...(endpoint.example ? { 'x-origami-example': endpoint.example } : {}),
      ...(endpoint.sends === undefined ? {} : { 'x-origami-sends': endpoint.sends }),
      ...(endpoint.headers ? { 'x-origami-headers': endpoint.headers } : {}),
      ...(endpoint.bytes ? { consumes: ['*/*'] } : {}),
      security: securityOf(kind),
    },
    answers: { ...refusalsOf(kind), default: { what: otherwise, body: errorBody } },
  }
}

/** What a token needs, as it follows those who may call. */
const scopeWords: Readonly<Record<WebEndpoint['scope'], string>> = {
  any: '',
  run: '; a token with the scope `run`',
  deploy: '; a token with the scope `deploy`',
  admin: '; a token with the scope `admin`',
  session: '; no token, only a browser',
}

const otherwise = [
  'A path that cannot be read (400, 414, 431)',
  'an unknown token (401)',
  'too many requests (429)',
  'a forge or the daemon said nothing to be understood (502)',
  'the daemon is away (503)',
  'our mistake (500)',
].join(', ')

interface EndpointTraits extends WebEndpoint {
  readonly own: boolean
  readonly change: boolean
}

/**
 * A change through our own API needs the visitor's CSRF token even without an account. A token in `Authorization`
 * replaces it.
 */
function securityOf({ who, scope, byCookie, own, change }: EndpointTraits): object[] {
  if (byCookie === false) return [{}]
  const csrf = own && change
  const open = who === 'anyone' || who === 'sees'
  const cookie = { ...(open && csrf ? {} : { session: [] }), ...(csrf ? { csrf: [] } : {}) }
  return [...(open && !csrf ? [{}] : []), ...(scope === 'session' ? [] : [{ token: [] }]), cookie]
}

function refusalsOf({ who, scope, query, body, bytes, byCookie, own, change }: EndpointTraits): Record<string, Answer> {
  const account = who === 'signedIn' || who === 'deployer' || who === 'operator'
  const isAboutDemo = who === 'sees' || who === 'owner' || who === 'ownerOrOperator' || who === 'redeployer'
  const foreign = own ? 'You may not, or the CSRF token is missing' : 'A page of another site asks'
  const refused = (applies: boolean, status: number, what: string) =>
    applies ? { [status]: { what, body: errorBody } } : {}
  const json = body !== undefined && !bytes
  const renamed = { what: 'It was renamed: the same is under its new address' }
  return {
    ...(isAboutDemo ? { [change ? 308 : 302]: renamed } : {}),
    ...refused(json, 400, 'The body is no JSON'),
    ...refused(body !== undefined, 408, 'Nothing more of the body came'),
    ...refused(json, 413, 'The body is too large'),
    ...refused(body !== undefined, 415, json ? 'The body is not application/json' : 'Its content-type is none'),
    ...refused(account, 401, 'Sign in first, or the token is not known'),
    ...refused(
      (change && byCookie !== false) || who === 'deployer' || who === 'operator' || scope !== 'any',
      403,
      change ? foreign : 'You may not',
    ),
    ...refused(isAboutDemo, 404, 'No such demo'),
    ...refused(query !== undefined || body !== undefined, 422, 'That does not fit, and why'),
  }
}
