import { z } from 'zod'
import {
  type DemoId,
  type DeploymentId,
  isDemoId,
  isDeploymentId,
  isPredictionId,
  isVisitorId,
  type PredictionId,
  type VisitorId,
} from '../demo/ids.ts'
import { predictionSnapshot } from '../demo/prediction.ts'
import type { Endpoints } from './endpoint.ts'
import {
  certificateGrant,
  certificateInfo,
  certificateRequest,
  demoDetail,
  demoStats,
  deployAccepted,
  deploymentList,
  deployTrigger,
  errorBody,
  queueEmptied,
  queueView,
} from './routes.ts'

const id = <Id extends string>(is: (text: string) => text is Id, otherwise: string) =>
  z.custom<Id>((text) => typeof text === 'string' && is(text), otherwise).meta({ type: 'string' })

const demo = id<DemoId>(isDemoId, 'There is no such demo.')
const demoIdParams = z.object({ demo })
const deploymentParams = z.object({ id: id<DeploymentId>(isDeploymentId, 'There is no such deployment.') })
const predictionParams = z.object({
  demo,
  id: id<PredictionId>(isPredictionId, 'There is no such prediction (any more).'),
})

const expectedVisitor = 'expected whose, as 1 to 200 characters'
const visitor = z
  .custom<VisitorId>((text) => typeof text === 'string' && isVisitorId(text), expectedVisitor)
  .meta({ type: 'string' })
  .describe('Whose')
/** A whole number in a query, at least 0. */
const wholeNumber = (fallback: number) =>
  z
    .string()
    .regex(/^[0-9]{1,15}$/, 'expected a whole number from 0')
    .transform(Number)
    .default(fallback)

const done = { 200: { what: 'Done', body: z.object({}) } } as const
const accepted = { 202: { what: 'Both are stored', body: deployAccepted } } as const
const noDemo = { 404: { what: 'There is no such demo', body: errorBody } } as const
const neverDeployed = { 409: { what: 'No version of it ever served', body: errorBody } } as const

/** `unisolated`: why demos are not kept from this host and its network; null: they are, as far as is known. */
const daemonHealth = z.object({
  status: z.literal('ok'),
  engine: z.string(),
  unisolated: z.string().nullable().default(null),
})
export type DaemonHealth = z.infer<typeof daemonHealth>

/** The daemon's API. Only its web server can call it, because all of it requires mutual TLS. */
export const daemonApi = {
  'GET /health': {
    id: 'getHealth',
    tag: 'Daemon',
    summary: 'Whether the daemon is there, and which engine runs demos',
    answers: { 200: { what: 'It is', body: daemonHealth } },
  },
  'GET /events': {
    id: 'followEvents',
    tag: 'Daemon',
    summary: 'What happens to demos and deployments, from a number on',
    description: '`Last-Event-ID` stands in for `after`.',
    query: z.object({ after: wholeNumber(0).describe('The number of the last one seen') }),
    answers: { 200: { what: 'Server-sent events; the id of each is its number', body: 'text/event-stream' } },
  },
  'GET /stats': {
    id: 'listStats',
    tag: 'Demos',
    summary: 'Every demo, as it is now',
    answers: { 200: { what: 'All of them', body: z.object({ demos: z.array(demoStats) }) } },
  },
  'GET /stats/:demo': {
    id: 'getStats',
    tag: 'Demos',
    summary: 'One demo, with the schema of what serves',
    params: demoIdParams,
    answers: { 200: { what: 'As it is now', body: demoDetail } },
    refuses: noDemo,
  },
  'POST /deploy_trigger': {
    id: 'triggerDeploy',
    tag: 'Demos',
    summary: 'Deploys a repository: a demo is made of its link and its owner, once',
    body: deployTrigger,
    answers: accepted,
  },
  'POST /demos/:demo/redeploy': {
    id: 'redeploy',
    tag: 'Demos',
    summary: 'Deploys the newest commit of a demo that is there',
    params: demoIdParams,
    body: deployTrigger.pick({ user_access_token: true }),
    answers: accepted,
    refuses: noDemo,
  },
  'POST /demos/:demo/stop': {
    id: 'stopDemo',
    tag: 'Demos',
    summary: 'Ends what runs of it; its version stays',
    params: demoIdParams,
    answers: done,
    refuses: noDemo,
  },
  'POST /demos/:demo/start': {
    id: 'startDemo',
    tag: 'Demos',
    summary: 'Starts the version that served last',
    params: demoIdParams,
    answers: done,
    refuses: { ...noDemo, ...neverDeployed },
  },
  'DELETE /demos/:demo': {
    id: 'removeDemo',
    tag: 'Demos',
    summary: 'Removes a demo with all that is kept of it. Twice is once',
    params: demoIdParams,
    answers: {
      200: { what: 'It is gone; `removed` is false where it was before', body: z.object({ removed: z.boolean() }) },
    },
    refuses: noDemo,
  },
  'GET /demos/:demo/deployments': {
    id: 'listDeployments',
    tag: 'Demos',
    summary: 'Its deployments',
    params: demoIdParams,
    answers: { 200: { what: 'Newest first', body: deploymentList } },
    refuses: noDemo,
  },
  'POST /deployments/:id/cancel': {
    id: 'cancelDeployment',
    tag: 'Demos',
    summary: 'Ends a deployment that is under way',
    params: deploymentParams,
    answers: done,
    refuses: { 404: { what: 'There is no such deployment under way', body: errorBody } },
  },
  'GET /logs/:demo': {
    id: 'getLog',
    tag: 'Demos',
    summary: 'What its builds and instances printed',
    params: demoIdParams,
    query: z.object({
      offset: wholeNumber(0).describe('The byte to start at'),
      follow: z.string().optional().describe('1: goes on as lines come'),
    }),
    answers: { 200: { what: 'The lines; `origami-log-size` says where they end now', body: 'text/plain' } },
    refuses: noDemo,
  },
  'GET /demos/:demo/queue': {
    id: 'getQueue',
    tag: 'Predictions',
    summary: 'What runs and what waits',
    params: demoIdParams,
    answers: { 200: { what: 'What runs, then what waits in its order', body: queueView } },
    refuses: noDemo,
  },
  'DELETE /demos/:demo/queue': {
    id: 'emptyQueue',
    tag: 'Predictions',
    summary: 'Cancels all that waits',
    params: demoIdParams,
    answers: { 200: { what: 'How many waited', body: queueEmptied } },
    refuses: noDemo,
  },
  'GET /demos/:demo/results': {
    id: 'listResults',
    tag: 'Predictions',
    summary: 'The predictions of one visitor',
    params: demoIdParams,
    query: z.object({
      visitor,
      limit: wholeNumber(50).describe('At most 200'),
      before: wholeNumber(Number.MAX_SAFE_INTEGER).describe('The `next` of a page: what is older than that page'),
    }),
    answers: {
      200: {
        what: 'Newest first, at most the bytes of a page; the first may have more',
        body: z.object({ predictions: z.array(predictionSnapshot), next: z.int().optional() }),
      },
    },
  },
  'DELETE /demos/:demo/results/:id': {
    id: 'forgetResult',
    tag: 'Predictions',
    summary: 'Forgets a prediction that ended, with its files',
    params: predictionParams,
    query: z.object({ visitor }),
    answers: done,
    refuses: { 404: { what: 'There is no such result of this visitor', body: errorBody } },
  },
  'GET /certificate': {
    id: 'getCertificate',
    tag: 'Daemon',
    summary: "How long the daemon's certificate holds",
    answers: { 200: { what: 'Until then', body: certificateInfo } },
  },
  'POST /certificate/request': {
    id: 'requestCertificate',
    tag: 'Daemon',
    summary: 'Makes a key, and a request (PKCS #10) for a certificate of it',
    answers: { 200: { what: 'The request', body: certificateRequest } },
  },
  'PUT /certificate': {
    id: 'putCertificate',
    tag: 'Daemon',
    summary: 'Hands over what was signed for the request; connections that stand go on',
    body: certificateGrant,
    answers: { 200: { what: 'It is in use', body: certificateInfo } },
    refuses: { 422: { what: 'It is not of that key, or not of the authority', body: errorBody } },
  },
} as const satisfies Endpoints
export type DaemonApi = typeof daemonApi
