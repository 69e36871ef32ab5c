import { afterAll, beforeAll, expect, test } from 'vitest'
import { World } from '../world.ts'
import { Cast, columns, often, type Privacy } from './cast.ts'
import { answerOf, changesSession } from './requests.ts'

/**
 * Every route of the web server, and what each of these is answered who asks for it rightly. A route that is new fails
 * until it stands here.
 *
 * - `anon` sends neither cookie nor CSRF token, `vis` has both, and `key` came by the private demo's unlisted link.
 * - `acc` has an account and may not deploy, `dep` may. `own` is the demo's owner, `op` the owner of this server.
 * - `tRun`, `tDep` and `tAdm` are tokens of `own`, each with one scope alone.
 * - `none` is the 404 that says there is no such demo, `csrf` the 403 for a change without that token.
 */
const table = `
                                                                       anon vis  key  acc  dep  own  op   tRun tDep tAdm
GET /                                                                  200  200  200  200  200  200  200  200  200  200
GET /-/sign-in                                                         200  200  200  200  200  200  200  200  200  200
GET /-/new                                                             200  200  200  200  200  200  200  200  200  200
GET /-/mine                                                            200  200  200  200  200  200  200  200  200  200
GET /-/account                                                         200  200  200  200  200  200  200  200  200  200
GET /-/device                                                          200  200  200  200  200  200  200  200  200  200
GET /-/docs                                                            200  200  200  200  200  200  200  200  200  200
GET /:account                                                          200  200  200  200  200  200  200  200  200  200
GET /-/assets/*                                                        200  200  200  200  200  200  200  200  200  200
GET /-/sign-in/:host                                                   302  302  302  302  302  302  302  302  302  302
GET /-/callback/:host                                                  422  422  422  422  422  422  422  422  422  422
GET /-/api/session                                                     200  200  200  200  200  200  200  200  200  200
POST /-/api/session/link                                               csrf 200  200  200  200  200  200  403  403  403
DELETE /-/api/session                                                  csrf 200  200  200  200  200  200  403  403  403
GET /-/api/tokens                                                      401  401  401  200  200  200  200  403  403  200
POST /-/api/tokens                                                     csrf 401  401  403  201  201  201  403  403  403
DELETE /-/api/tokens/:id                                               csrf 401  401  200  200  200  200  403  403  200
GET /-/api/sessions                                                    401  401  401  200  200  200  200  403  403  200
DELETE /-/api/sessions                                                 csrf 401  401  200  200  200  200  403  403  200
DELETE /-/api/sessions/:id                                             csrf 401  401  200  200  200  200  403  403  200
POST /-/api/device                                                     200  200  200  200  200  200  200  200  200  200
POST /-/api/device/token                                               200  200  200  200  200  200  200  200  200  200
GET /-/api/device                                                      401  401  401  200  200  200  200  403  403  403
POST /-/api/device/answer                                              csrf 401  401  403  200  200  200  403  403  403
GET /-/api/demos                                                       200  200  200  200  200  200  200  200  200  200
GET /-/api/accounts/:account                                           200  200  200  200  200  200  200  200  200  200
GET /-/api/mine                                                        401  401  401  200  200  200  200  200  200  200
GET /-/api/repositories                                                401  401  401  403  200  200  200  403  200  403
POST /-/api/inspect                                                    csrf 401  401  403  200  200  200  403  200  403
POST /-/api/demos                                                      csrf 401  401  403  201  201  201  403  201  403
GET /-/api/audit                                                       401  401  401  403  403  403  200  403  403  403
GET /-/openapi.json                                                    200  200  200  200  200  200  200  200  200  200
GET /:account/:name (public)                                           200  200  200  200  200  200  200  200  200  200
GET /:account/:name (private)                                          none none 200  none none 200  200  200  200  200
GET /:account/:name as a page (public)                                 200  200  200  200  200  200  200  200  200  200
GET /:account/:name as a page (private)                                404  404  200  404  404  200  200  200  200  200
POST /:account/:name/predictions (public)                              202  202  202  202  202  202  202  202  403  403
POST /:account/:name/predictions (private)                             none none 202  none none 202  202  202  403  403
PUT /:account/:name/predictions/:id (public)                           202  202  202  202  202  202  202  202  403  403
PUT /:account/:name/predictions/:id (private)                          none none 202  none none 202  202  202  403  403
GET /:account/:name/predictions/:id (public)                           200  200  200  200  200  200  200  200  403  403
GET /:account/:name/predictions/:id (private)                          none none 200  none none 200  200  200  403  403
GET /:account/:name/predictions/:id/events (public)                    200  200  200  200  200  200  200  200  403  403
GET /:account/:name/predictions/:id/events (private)                   none none 200  none none 200  200  200  403  403
POST /:account/:name/predictions/:id/cancel (public)                   404  404  200  404  404  200  404  200  403  403
POST /:account/:name/predictions/:id/cancel (private)                  none none 200  none none 200  404  200  403  403
PUT /:account/:name/files/:file_id/:file_name (public)                 201  201  201  201  201  201  201  201  403  403
PUT /:account/:name/files/:file_id/:file_name (private)                none none 201  none none 201  201  201  403  403
GET /:account/:name/files/:file_id/:file_name (public)                 200  200  200  200  200  200  200  200  403  403
GET /:account/:name/files/:file_id/:file_name (private)                none none 200  none none 200  200  200  403  403
GET /:account/:name/schema (public)                                    200  200  200  200  200  200  200  200  200  200
GET /:account/:name/schema (private)                                   none none 200  none none 200  200  200  200  200
GET /:account/:name/health-check (public)                              200  200  200  200  200  200  200  200  200  200
GET /:account/:name/health-check (private)                             none none 200  none none 200  200  200  200  200
GET /:account/:name/openapi.json (public)                              200  200  200  200  200  200  200  200  200  200
GET /:account/:name/openapi.json (private)                             none none 200  none none 200  200  200  200  200
GET /:account/:name/predictions/:id as a page (public)                 200  200  200  200  200  200  200  200  403  403
GET /:account/:name/predictions/:id as a page (private)                404  404  200  404  404  200  200  200  403  403
OPTIONS /:account/:name (public)                                       204  204  204  204  204  204  204  204  204  204
OPTIONS /:account/:name (private)                                      204  204  204  204  204  204  204  204  204  204
OPTIONS /:account/:name/* (public)                                     204  204  204  204  204  204  204  204  204  204
OPTIONS /:account/:name/* (private)                                    204  204  204  204  204  204  204  204  204  204
GET /-/api/demos/:account/:name (public)                               200  200  200  200  200  200  200  200  200  200
GET /-/api/demos/:account/:name (private)                              none none 200  none none 200  200  200  200  200
PATCH /-/api/demos/:account/:name (public)                             csrf none none none none 200  403  403  200  403
PATCH /-/api/demos/:account/:name (private)                            csrf none none none none 200  200  403  200  403
DELETE /-/api/demos/:account/:name (public)                            csrf none none none none 200  200  403  200  403
DELETE /-/api/demos/:account/:name (private)                           csrf none none none none 200  200  403  200  403
POST /-/api/demos/:account/:name/key (public)                          csrf none none none none 200  none 403  200  403
POST /-/api/demos/:account/:name/key (private)                         csrf none none none none 200  none 403  200  403
POST /-/api/demos/:account/:name/check (public)                        csrf none none none none 200  none 403  200  403
POST /-/api/demos/:account/:name/check (private)                       csrf none none none none 200  none 403  200  403
GET /-/api/demos/:account/:name/queue (public)                         none none none none none 200  none 403  200  403
GET /-/api/demos/:account/:name/queue (private)                        none none none none none 200  none 403  200  403
DELETE /-/api/demos/:account/:name/queue (public)                      csrf none none none none 200  none 403  200  403
DELETE /-/api/demos/:account/:name/queue (private)                     csrf none none none none 200  none 403  200  403
POST /-/api/demos/:account/:name/queue/:prediction_id/cancel (public)  csrf none none none none 200  none 403  200  403
POST /-/api/demos/:account/:name/queue/:prediction_id/cancel (private) csrf none none none none 200  none 403  200  403
GET /-/api/demos/:account/:name/logs (public)                          none none none none none 200  none 403  200  403
GET /-/api/demos/:account/:name/logs (private)                         none none none none none 200  none 403  200  403
GET /-/api/demos/:account/:name/events (public)                        200  200  200  200  200  200  200  200  200  200
GET /-/api/demos/:account/:name/events (private)                       none none 200  none none 200  200  200  200  200
GET /-/api/demos/:account/:name/results (public)                       200  200  200  200  200  200  200  200  403  403
GET /-/api/demos/:account/:name/results (private)                      none none 200  none none 200  200  200  403  403
DELETE /-/api/demos/:account/:name/results/:prediction_id (public)     csrf 404  200  404  404  404  404  404  403  403
DELETE /-/api/demos/:account/:name/results/:prediction_id (private)    csrf none 200  none none 404  404  404  403  403
POST /-/api/demos/:account/:name/stop (public)                         csrf none none none none 200  200  403  200  403
POST /-/api/demos/:account/:name/stop (private)                        csrf none none none none 200  200  403  200  403
POST /-/api/demos/:account/:name/start (public)                        csrf none none none none 200  none 403  200  403
POST /-/api/demos/:account/:name/start (private)                       csrf none none none none 200  none 403  200  403
POST /-/api/demos/:account/:name/deploy (public)                       csrf none none none none 202  none 403  202  403
POST /-/api/demos/:account/:name/deploy (private)                      csrf none none none none 202  none 403  202  403
POST /-/api/demos/:account/:name/cancel (public)                       csrf none none none none 200  none 403  404  403
POST /-/api/demos/:account/:name/cancel (private)                      csrf none none none none 200  none 403  404  403
`

let world: World
let cast: Cast
beforeAll(async () => {
  world = await World.start({ engine: 'process', networks: ['127.0.0.0/8'], limits: often })
  cast = await Cast.assemble(world)
}, 120_000)
afterAll(async () => {
  await cast?.[Symbol.asyncDispose]()
  await world?.[Symbol.asyncDispose]()
})

const cells = new RegExp(`( +[a-z0-9]+){${Object.keys(columns).length}}$`)
const rows = table
  .split('\n')
  .slice(2, -1)
  .map((line) => line.replace(cells, ''))

test('every route stands in the table of who may do what', () => {
  const named = new Set(rows.map((row) => row.replace(/( as a page)?( \((public|private)\))?$/, '')))
  expect([...named].toSorted()).toEqual([...world.routes].toSorted())
})

test('each role is answered as the table says', async () => {
  const lines: string[][] = [['', ...Object.keys(columns)]]
  for (const row of rows) lines.push([row, ...(await answers(row))])
  expect(aligned(lines)).toBe(table.slice(1, -1))
}, 240_000)

async function answers(row: string): Promise<string[]> {
  const [, route = row, privacy = 'public'] = /^(.*) \((public|private)\)$/.exec(row) ?? []
  const all: string[] = []
  for (const role of Object.values(columns)) {
    const send = await cast.sender(role, changesSession.has(route))
    all.push(await answerOf(cast, { route, privacy: privacy as Privacy, send }))
  }
  return all
}

function aligned(lines: readonly string[][]): string {
  const first = Math.max(...lines.map(([name = '']) => name.length))
  return lines
    .map(([name = '', ...cells]) => [name.padEnd(first), ...cells.map((cell) => cell.padEnd(4))].join(' ').trimEnd())
    .join('\n')
}
