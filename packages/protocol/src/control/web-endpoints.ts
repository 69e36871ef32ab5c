import { z } from 'zod'
import type { Endpoint, Endpoints } from './endpoint.ts'
import { errorBody, queueEmptied, queueView } from './routes.ts'
import {
  accountDemos,
  auditPage,
  auditQuery,
  authorizeFirst,
  demoChange,
  demoKey,
  demoList,
  demoPage,
  demoQuery,
  deviceAnswer,
  deviceAsking,
  deviceBegun,
  deviceQuery,
  deviceRefused,
  deviceSignedIn,
  deviceToken,
  elsewhereInspection,
  elsewhereUrl,
  inspection,
  logQuery,
  madeToken,
  newDemo,
  newDevice,
  newElsewhere,
  newToken,
  ownerSecret,
  repositoryLink,
  repositoryList,
  repositoryQuery,
  results,
  resultsQuery,
  session,
  tokenList,
} from './web-api.ts'

/**
 * Who may call an endpoint, as text for people. `sees`, `owner` and `redeployer` concern the demo in the path, which
 * others are told does not exist.
 */
export const callers = {
  anyone: 'Anyone',
  sees: "Anyone, where the demo is public; else its owner, this server's owner, and who came by its unlisted link (`?key=`)",
  signedIn: 'Every account that is signed in',
  deployer: 'Accounts that may deploy here',
  owner: "The demo's owner",
  ownerOrOperator: "The demo's owner, and this server's owner",
  redeployer: "The demo's owner, who may deploy here",
  operator: "This server's owner",
} as const
type Caller = keyof typeof callers

/** An endpoint of the web server, with those who may call it and with example values. */
export interface WebEndpoint extends Endpoint {
  readonly who: Caller
  /** False for an endpoint that programs call, where neither cookie nor token identifies the caller. */
  readonly byCookie?: false
  /** Request headers that change the answer: their effect by name. */
  readonly headers?: Readonly<Record<string, string>>
  /**
   * False for what changes something and is not written to the audit log: it changes nothing that a person would ask
   * after, or is a prediction or an upload.
   */
  readonly audited?: false
  /** Set when its body is arbitrary bytes instead of JSON. */
  readonly bytes?: true
  /** An example of a valid body. */
  readonly sends?: unknown
  /** Values of the path's parameters in examples, when the usual ones would do harm. */
  readonly example?: Readonly<Record<string, string>>
}

const stringParam = (description: string, example: string) => z.string().describe(description).meta({ example })

const accountParams = z.object({ account: stringParam("The owner's handle", 'ann') })
export const demoParams = accountParams.extend({ name: stringParam("The demo's name", 'digits') })
const tokenParams = z.object({ id: stringParam('As the list has it', 'id') })
const predictionParams = demoParams.extend({ prediction_id: stringParam('8 to 64 of A-Z a-z 0-9 _ -', 'example-0001') })

const page = { what: 'The demo', body: demoPage } as const
const done = { 200: { what: 'Done', body: z.object({}).meta({ id: 'Done' }) } } as const

/** The web server's own API, for its pages, the command `origami`, and programs. */
export const webApi = {
  'GET /-/api/session': {
    id: 'getSession',
    tag: 'Account',
    summary: 'Who asks, and where one can sign in',
    who: 'anyone',
    answers: { 200: { what: 'The session', body: session } },
  },
  'POST /-/api/session/link': {
    id: 'useOwnerLink',
    tag: 'Account',
    summary: "Signs in this server's owner",
    description: 'With the secret of the link that the server prints when it starts; it works once. Answers a cookie.',
    who: 'anyone',
    body: ownerSecret,
    sends: { secret: 'what-the-server-printed' },
    answers: done,
    refuses: { 401: { what: 'The link was used, or is of another start', body: errorBody } },
  },
  'DELETE /-/api/session': {
    id: 'signOut',
    tag: 'Account',
    summary: 'Ends the session of a cookie',
    who: 'anyone',
    answers: done,
  },
  'GET /-/api/tokens': {
    id: 'listTokens',
    tag: 'Account',
    summary: 'Your tokens, without their secrets',
    who: 'signedIn',
    answers: { 200: { what: 'Oldest first', body: tokenList } },
  },
  'POST /-/api/tokens': {
    id: 'makeToken',
    tag: 'Account',
    summary: 'Makes a token, which may do what you may',
    who: 'deployer',
    body: newToken,
    sends: { name: 'laptop' },
    answers: { 201: { what: 'The token, this once', body: madeToken } },
  },
  'DELETE /-/api/tokens/:id': {
    id: 'revokeToken',
    tag: 'Account',
    summary: 'Revokes a token of yours',
    description: 'One that is not there is revoked already.',
    params: tokenParams,
    who: 'signedIn',
    answers: done,
    example: { id: 'id-of-the-token' },
  },
  'POST /-/api/device': {
    id: 'beginDevice',
    tag: 'Account',
    summary: 'A program asks to sign in: a code for a person to confirm',
    description: 'As RFC 8628; `origami login` does it.',
    who: 'anyone',
    byCookie: false,
    audited: false,
    body: newDevice.nullish(),
    sends: { host: 'laptop' },
    answers: { 200: { what: 'The codes, good for ten minutes', body: deviceBegun } },
  },
  'POST /-/api/device/token': {
    id: 'takeDeviceToken',
    tag: 'Account',
    summary: 'The token of a program that was let in, once',
    who: 'anyone',
    byCookie: false,
    body: deviceToken,
    sends: { device_code: 'what-was-answered' },
    answers: { 200: { what: 'It is signed in', body: deviceSignedIn } },
    refuses: { 400: { what: 'Not yet, or never: `reason` says which', body: deviceRefused } },
  },
  'GET /-/api/device': {
    id: 'getDevice',
    tag: 'Account',
    summary: 'Who asks under a code',
    who: 'signedIn',
    query: deviceQuery,
    answers: { 200: { what: 'What they say they are, and from where', body: deviceAsking } },
    refuses: { 404: { what: 'Nobody asks under it (any more)', body: errorBody } },
  },
  'POST /-/api/device/answer': {
    id: 'answerDevice',
    tag: 'Account',
    summary: 'Lets a program in as you, or not',
    description: 'Only who may deploy can allow it.',
    who: 'signedIn',
    body: deviceAnswer,
    sends: { code: 'BCDF-GHJK', allow: false },
    answers: done,
    refuses: { 404: { what: 'Nobody asks under it (any more)', body: errorBody } },
  },
  'GET /-/api/demos': {
    id: 'listDemos',
    tag: 'Demos',
    summary: 'The public demos',
    who: 'anyone',
    query: demoQuery,
    answers: { 200: { what: 'All that match', body: demoList } },
  },
  'GET /-/api/accounts/:account': {
    id: 'listAccountDemos',
    tag: 'Demos',
    summary: "An account and its public demos; one's own, and to this server's owner every account's, all of them",
    params: accountParams,
    who: 'anyone',
    answers: { 200: { what: 'Newest first', body: accountDemos } },
    refuses: { 404: { what: 'No such account', body: errorBody } },
  },
  'GET /-/api/mine': {
    id: 'listMyDemos',
    tag: 'Demos',
    summary: 'Your demos, public or not',
    who: 'signedIn',
    answers: { 200: { what: 'Newest first', body: demoList } },
  },
  'GET /-/api/repositories': {
    id: 'listRepositories',
    tag: 'Demos',
    summary: 'Your repositories at a forge',
    who: 'deployer',
    query: repositoryQuery,
    answers: { 200: { what: 'At most 30; none where you did not sign in by that forge', body: repositoryList } },
  },
  'POST /-/api/inspect': {
    id: 'inspectLink',
    tag: 'Demos',
    summary: 'What is at a link, before it is deployed; or at a `url`, where a demo runs elsewhere',
    who: 'deployer',
    audited: false,
    body: z.union([repositoryLink, elsewhereUrl]),
    sends: { link: 'https://github.com/ann/digits' },
    answers: { 200: { what: 'What a forge cannot tell is null', body: z.union([inspection, elsewhereInspection]) } },
    refuses: {
      403: { what: 'The forge must be asked first', body: authorizeFirst },
      404: { what: 'No such repository, or not yours to read', body: errorBody },
    },
  },
  'POST /-/api/demos': {
    id: 'deployLink',
    tag: 'Demos',
    summary: 'Makes a demo of a link, or deploys the newest commit of the one you have of it',
    description: 'With `url` in place of `link` it lists a demo that runs elsewhere, without a queue.',
    who: 'deployer',
    body: z.union([newDemo, newElsewhere]),
    sends: { link: 'https://github.com/ann/digits' },
    answers: { 200: { what: 'The demo you had of it, under the name that was given', body: demoPage }, 201: page },
    refuses: {
      403: { what: 'You may not deploy, or the forge must be asked first', body: authorizeFirst },
      404: { what: 'No such repository, or not yours to read', body: errorBody },
      409: { what: 'You have another demo of that name', body: errorBody },
      503: {
        what: 'The daemon is away; a demo that is new is listed as `undeployed`, and can be deployed later',
        body: errorBody,
      },
    },
  },
  'GET /-/api/demos/:account/:name': {
    id: 'getDemo',
    tag: 'Demos',
    summary: 'One demo',
    params: demoParams,
    query: demoKey,
    who: 'sees',
    answers: { 200: page },
  },
  'PATCH /-/api/demos/:account/:name': {
    id: 'changeDemo',
    tag: 'Demos',
    summary: 'Renames a demo, makes it public or unlisted, or closes it to pages of other sites',
    description:
      "The old address, and what is under it, leads to the new one until another demo takes it. This server's owner may make it unlisted, and nothing else. Who makes it public must be allowed to deploy.",
    params: demoParams,
    who: 'ownerOrOperator',
    body: demoChange,
    sends: { public: true },
    answers: { 200: page },
    refuses: { 409: { what: 'You have a demo of that name', body: errorBody } },
  },
  'POST /-/api/demos/:account/:name/key': {
    id: 'renewKey',
    tag: 'Demos',
    summary: 'Makes a new unlisted link: the one of before, and browsers that came by it, see the demo no more',
    params: demoParams,
    who: 'owner',
    answers: { 200: page },
  },
  'DELETE /-/api/demos/:account/:name': {
    id: 'removeDemo',
    tag: 'Demos',
    summary: 'Removes a demo and all that was kept of it',
    params: demoParams,
    who: 'ownerOrOperator',
    answers: done,
    example: { name: 'the-one-to-remove' },
  },
  'POST /-/api/demos/:account/:name/deploy': {
    id: 'redeployDemo',
    tag: 'Demos',
    summary: 'Deploys the newest commit; what serves goes on until that is live',
    params: demoParams,
    who: 'redeployer',
    answers: { 202: page },
    refuses: {
      409: { what: 'It runs elsewhere', body: errorBody },
      403: { what: 'You may not deploy, or the forge must be asked first', body: authorizeFirst },
    },
  },
  'POST /-/api/demos/:account/:name/cancel': {
    id: 'cancelDeployment',
    tag: 'Demos',
    summary: 'Cancels the newest deployment, where it has not ended',
    params: demoParams,
    who: 'owner',
    answers: { 200: page },
    refuses: {
      404: { what: 'No such demo, or nothing of it is under way', body: errorBody },
      409: { what: 'It runs elsewhere', body: errorBody },
    },
  },
  'POST /-/api/demos/:account/:name/stop': {
    id: 'stopDemo',
    tag: 'Demos',
    summary: 'Stops a demo',
    params: demoParams,
    who: 'ownerOrOperator',
    answers: { 200: page },
    refuses: { 409: { what: 'It runs elsewhere', body: errorBody } },
  },
  'POST /-/api/demos/:account/:name/start': {
    id: 'startDemo',
    tag: 'Demos',
    summary: 'Starts a stopped demo',
    params: demoParams,
    who: 'redeployer',
    answers: { 200: page },
    refuses: { 409: { what: 'It runs elsewhere, or no version of it ever served', body: errorBody } },
  },
  'POST /-/api/demos/:account/:name/check': {
    id: 'checkDemo',
    tag: 'Demos',
    summary: 'Asks a demo that runs elsewhere whether it answers',
    params: demoParams,
    audited: false,
    who: 'owner',
    answers: { 200: page },
    refuses: { 409: { what: 'It runs here', body: errorBody } },
  },
  'GET /-/api/demos/:account/:name/queue': {
    id: 'getQueue',
    tag: 'Demos',
    summary: 'What runs and what waits, whose it is and since when',
    params: demoParams,
    who: 'owner',
    answers: { 200: { what: 'What runs, then what waits in its order', body: queueView } },
    refuses: { 409: { what: 'It runs elsewhere', body: errorBody } },
  },
  'DELETE /-/api/demos/:account/:name/queue': {
    id: 'emptyQueue',
    tag: 'Demos',
    summary: 'Cancels all that waits',
    params: demoParams,
    who: 'owner',
    answers: { 200: { what: 'How many those were', body: queueEmptied } },
    refuses: { 409: { what: 'It runs elsewhere', body: errorBody } },
    example: { name: 'the-one-to-empty' },
  },
  'POST /-/api/demos/:account/:name/queue/:prediction_id/cancel': {
    id: 'cancelQueued',
    tag: 'Demos',
    summary: "Cancels one, whoever's it is",
    params: predictionParams,
    who: 'owner',
    answers: done,
    refuses: {
      404: { what: 'Nothing of that id waits or runs', body: errorBody },
      409: { what: 'It runs elsewhere', body: errorBody },
    },
  },
  'GET /-/api/demos/:account/:name/logs': {
    id: 'readLog',
    tag: 'Demos',
    summary: 'Its log, from the first byte cloned to the last line it printed',
    description: 'The header `origami-log-size` says how long it is now, in bytes.',
    params: demoParams,
    who: 'owner',
    query: logQuery,
    answers: { 200: { what: 'The log', body: 'text/plain' } },
    refuses: { 409: { what: 'It runs elsewhere', body: errorBody } },
  },
  'GET /-/api/demos/:account/:name/events': {
    id: 'followDemo',
    tag: 'Demos',
    summary: 'Its changes, as they happen',
    params: demoParams,
    who: 'sees',
    answers: {
      200: { what: 'Server-sent events called `demo`; the data of each is a DemoPage', body: 'text/event-stream' },
    },
  },
  'GET /-/api/demos/:account/:name/results': {
    id: 'listResults',
    tag: 'Demos',
    summary: 'The predictions you made there',
    query: resultsQuery,
    params: demoParams,
    who: 'sees',
    answers: { 200: { what: 'Newest first', body: results } },
  },
  'DELETE /-/api/demos/:account/:name/results/:prediction_id': {
    id: 'deleteResult',
    tag: 'Demos',
    summary: 'Deletes a result of yours that ended, with its files',
    params: predictionParams,
    who: 'sees',
    answers: done,
    refuses: { 404: { what: 'No such result of yours', body: errorBody } },
  },
  'GET /-/api/audit': {
    id: 'readAudit',
    tag: 'Account',
    summary: 'What was changed here, by whom: the audit log',
    description: 'Predictions, their cancels and uploads are not in it, nor is anything secret.',
    who: 'operator',
    query: auditQuery,
    answers: { 200: { what: 'Newest first', body: auditPage } },
  },
  'GET /-/openapi.json': {
    id: 'getDocument',
    tag: 'Documents',
    summary: 'This, as OpenAPI 3.1',
    who: 'anyone',
    answers: { 200: { what: 'The document', body: z.looseObject({ openapi: z.string() }) } },
  },
} as const satisfies Endpoints<WebEndpoint>
export type WebApi = typeof webApi
