import { demoIndexEndpoint, type Endpoint, predictionEndpoints, requestLine, webApi } from '@origami/protocol/control'
import { placeOf } from '../person.ts'
import type { Cast, Privacy, Send } from './cast.ts'

interface Asked {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

type Prepare = (cast: Cast, privacy: Privacy) => Asked | Promise<Asked>

const ended = async (cast: Cast, privacy: Privacy) => cast.prediction(privacy, true)
const running = async (cast: Cast, privacy: Privacy) => cast.prediction(privacy, false)
const fileId = { public: 'a-file-of-the-public', private: 'a-file-of-the-private' }
const atListed: Prepare = async (cast, privacy) => ({ params: placeOf(await cast.listed(privacy)) })

/** What differs from the example of each endpoint's row, so that whoever may do it succeeds. */
const prepared: Readonly<Record<string, Prepare>> = {
  'POST /-/api/session/link': (cast) => ({ body: { secret: cast.ownerSecret() } }),
  'DELETE /-/api/tokens/:id': async (cast) => ({
    params: { id: (await (await cast.person('owner')).call('POST /-/api/tokens', { body: { name: 'one' } })).id },
  }),
  'DELETE /-/api/sessions/:id': () => ({ params: { id: 'none' } }),
  'POST /-/api/device/token': async (cast) => ({ body: { device_code: (await cast.device(true)).device_code } }),
  'GET /-/api/device': async (cast) => ({ query: { code: (await cast.device(false)).user_code } }),
  'POST /-/api/device/answer': async (cast) => ({ body: { code: (await cast.device(false)).user_code, allow: true } }),
  'POST /-/api/inspect': (cast) => ({ body: { link: cast.link } }),
  'POST /-/api/demos': (cast) => ({ body: { url: cast.newUrl(), name: `of-${crypto.randomUUID()}` } }),
  'GET /-/api/repositories': (cast) => ({ query: { forge: cast.world.github.forge.host } }),
  // It stays as public as it is: to make it public is not everybody's who may make it unlisted.
  'PATCH /-/api/demos/:account/:name': async (cast, privacy) => ({
    ...(await atListed(cast, privacy)),
    body: { public: privacy === 'public' },
  }),
  'DELETE /-/api/demos/:account/:name': atListed,
  'POST /-/api/demos/:account/:name/check': atListed,
  'POST /-/api/demos/:account/:name/key': atListed,
  'POST /-/api/demos/:account/:name/queue/:prediction_id/cancel': async (cast, privacy) => ({
    params: { prediction_id: await running(cast, privacy) },
  }),
  'DELETE /-/api/demos/:account/:name/results/:prediction_id': async (cast, privacy) => ({
    params: { prediction_id: await ended(cast, privacy) },
  }),
  'POST /:account/:name/predictions': () => ({ body: { input: { word: 'hi' } } }),
  'PUT /:account/:name/predictions/:id': () => ({
    params: { id: crypto.randomUUID() },
    body: { input: { word: 'hi' } },
  }),
  'GET /:account/:name/predictions/:id': async (cast, privacy) => ({ params: { id: await ended(cast, privacy) } }),
  'GET /:account/:name/predictions/:id/events': async (cast, privacy) => ({
    params: { id: await ended(cast, privacy) },
  }),
  'POST /:account/:name/predictions/:id/cancel': async (cast, privacy) => ({
    params: { id: await running(cast, privacy) },
  }),
  'PUT /:account/:name/files/:file_id/:file_name': () => ({ params: { file_id: crypto.randomUUID() } }),
  'GET /:account/:name/files/:file_id/:file_name': async (cast, privacy) => {
    const path = `${cast.demos[privacy]}/files/${fileId[privacy]}/hello.txt`
    const headers = { 'content-type': 'text/plain' }
    await (await cast.person('guest')).fetch(path, { method: 'PUT', headers, body: 'Hello' })
    return { params: { file_id: fileId[privacy] } }
  },
  'GET /:account': () => ({ params: { account: 'ann' }, headers: { accept: 'text/html' } }),
  'GET /-/sign-in/:host': (cast) => ({ params: { host: cast.world.github.forge.host } }),
  'GET /-/callback/:host': (cast) => ({ params: { host: cast.world.github.forge.host } }),
  'OPTIONS /:account/:name/*': () => ({ params: { rest: 'predictions' } }),
  'GET /-/assets/*': async ({ world }) => {
    const html = await (await fetch(world.url, { headers: { accept: 'text/html' } })).text()
    return { params: { rest: /\/-\/assets\/([^"]+\.js)"/.exec(html)?.[1] ?? 'none' } }
  },
}

const unprepared: Prepare = () => ({})

/** Routes after which a session is another one. */
export const changesSession = new Set([
  'POST /-/api/session/link',
  'DELETE /-/api/session',
  'DELETE /-/api/sessions',
  'GET /-/callback/:host',
])

/** Whether what it changes is written to the audit log. */
export const isAudited = (route: string): boolean =>
  !route.startsWith('GET ') && endpoints[route] !== undefined && endpoints[route].audited !== false

const late = ['stop', 'start', 'deploy', 'cancel'].map((verb) => `POST /-/api/demos/:account/:name/${verb}`)

/** Orders routes so that those come last after which a demo does not serve for a while. */
export const lateness = (route: string): number => late.indexOf(route)

interface DescribedEndpoint extends Endpoint {
  readonly sends?: unknown
  readonly bytes?: true
  readonly audited?: false
}

const prefix = '/:account/:name'
const endpoints: Readonly<Record<string, DescribedEndpoint>> = {
  ...webApi,
  ...Object.fromEntries(Object.entries(predictionEndpoints).map(([key, one]) => [key.replace(' ', ` ${prefix}`), one])),
  [`GET ${prefix}`]: demoIndexEndpoint,
}

/** What a caller gets of a route: the status, or what stands for it in the table. */
export async function answerOf(
  cast: Cast,
  { route, privacy, send }: { readonly route: string; readonly privacy: Privacy; readonly send: Send },
): Promise<string> {
  const [key, isPage] = route.endsWith(' as a page') ? [route.replace(' as a page', ''), true] : [route, false]
  const endpoint = endpoints[key]
  const asked = await (prepared[key] ?? unprepared)(cast, privacy)
  const params = { ...placeOf(cast.demos[privacy]), ...examplesOf(endpoint), ...asked.params }
  const { method, path } = requestLine(key.replace('*', ':rest'), { params, query: asked.query })
  const body = 'body' in asked ? asked.body : endpoint?.sends
  const isText = endpoint?.bytes === true
  const leaving = new AbortController()
  const response = await send(path, {
    method,
    redirect: 'manual',
    signal: leaving.signal,
    headers: {
      accept: isPage ? 'text/html' : 'application/json',
      ...(body === undefined ? {} : { 'content-type': isText ? 'text/plain' : 'application/json' }),
      prefer: 'respond-async',
      ...asked.headers,
    },
    ...(body === undefined ? {} : { body: isText ? String(body) : JSON.stringify(body) }),
  })
  const text = response.status >= 400 ? await response.text() : ''
  leaving.abort()
  await cast.cancelRest()
  if (key === 'DELETE /-/api/sessions') cast.forgetSessions()
  if (text.includes('There is no such demo')) return 'none'
  if (text.includes('x-csrf-token')) return 'csrf'
  return String(response.status)
}

/** The examples of a path's parameters, but for the demo's own. */
function examplesOf(endpoint: Endpoint | undefined): Record<string, string> {
  const shape = endpoint?.params?.shape ?? {}
  const examples = Object.entries(shape).map(([name, schema]) => [name, String(schema.meta()?.example ?? '')])
  return Object.fromEntries(examples.filter(([name]) => name !== 'account' && name !== 'name'))
}
