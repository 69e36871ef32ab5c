import { z } from 'zod'
import { demoSchema } from '../demo/schema.ts'
import { demoStates, deploymentStates } from './states.ts'

const time = z.string().describe('ISO 8601 in UTC')

/** Body of `POST /deploy_trigger`. */
export const deployTrigger = z
  .strictObject({
    user_access_token: z.string().min(1).max(1000).nullable().describe('Null where the repository is public'),
    user_id: z.string().regex(/^[A-Za-z0-9_-]{1,100}$/, 'expected 1 to 100 of A-Z a-z 0-9 _ -'),
    remote_repo_link: z.string().min(1).max(500),
  })
  .meta({ id: 'DeployTrigger' })
/** Its answer, 202, when demo and deployment are stored durably. */
export const deployAccepted = z
  .object({ demo_id: z.string(), deployment_id: z.string() })
  .meta({ id: 'DeployAccepted' })

/** Answer of `POST /certificate/request`: a PKCS #10 request in PEM for a key that the daemon made. */
export const certificateRequest = z.object({ request: z.string().max(10_000) }).meta({ id: 'CertificateRequest' })
/** Body of `PUT /certificate`: the certificate that the authority signed, in PEM. */
export const certificateGrant = z
  .strictObject({ certificate: z.string().min(1).max(20_000) })
  .meta({ id: 'CertificateGrant' })
/** Answer of `GET` and `PUT /certificate`. */
export const certificateInfo = z.object({ valid_to: time }).meta({ id: 'CertificateInfo' })
export type CertificateInfo = z.infer<typeof certificateInfo>

/** One attempt to bring one commit live. */
export const deployment = z
  .object({
    id: z.string(),
    demo_id: z.string(),
    state: z.enum(deploymentStates),
    reason: z
      .string()
      .nullable()
      .describe('For people: why it is in this state, and what to do. Null when all is well'),
    commit: z.string().nullable(),
    commit_message: z.string().nullable().describe("First line of the commit's message"),
    created_at: time,
    updated_at: time,
    deadline_at: time.nullable().describe('When the present step fails by itself'),
    superseded_by: z.string().nullable(),
    steps: z
      .array(z.object({ state: z.enum(deploymentStates), at: time }))
      .describe('States it went through, oldest first, with when it entered each'),
    base_images: z
      .array(z.string())
      .default([])
      .describe('The images that it was built on, each with the id or digest that it had then'),
    log_tail: z.array(z.string()).describe('The last lines of its log, once it failed'),
  })
  .meta({ id: 'Deployment' })
export type Deployment = z.infer<typeof deployment>

/** One row of `GET /stats`. */
export const demoStats = z
  .object({
    demo_id: z.string(),
    user_id: z.string(),
    container_id: z.string().describe("The demo's id"),
    instance_id: z.string().nullable(),
    port: z.int().nullable(),
    repolink: z.string(),
    status: z.enum(demoStates),
    reason: z.string().nullable(),
    waiting: z.int().describe('Predictions that wait'),
    running: z.int().describe('Predictions that run now'),
    runs: z.int().describe('Predictions that ended, in all'),
    commit: z.string().nullable(),
    serving: z.string().nullable().describe('The deployment that answers'),
    newest: deployment.nullable(),
  })
  .meta({ id: 'DemoStats' })
export type DemoStats = z.infer<typeof demoStats>

/** `GET /stats/{demo_id}`: the row, and what the pages need besides. */
export const demoDetail = demoStats
  .extend({
    schema: demoSchema.nullable().describe('Of the version that serves, or served last'),
    unisolated: z
      .string()
      .nullable()
      .default(null)
      .describe('Why it is not kept from its host and the network of its host; null: it is'),
  })
  .meta({ id: 'DemoDetail' })
export type DemoDetail = z.infer<typeof demoDetail>

/** `GET /demos/{demo_id}/deployments`, for the demo's owner only. */
export const deploymentList = z
  .object({ deployments: z.array(deployment).describe('Newest first, at most 50') })
  .meta({ id: 'Deployments' })

/** A prediction that waits or runs, as the demo's owner sees it. */
const queueEntry = z
  .object({
    id: z.string(),
    visitor: z.string().nullable().describe('Whose it is; null: nobody is known'),
    status: z.enum(['starting', 'processing']),
    position: z.int().nullable().describe('Its place among those that wait (1 is next); null once it runs'),
    created_at: time,
    started_at: time.nullable(),
  })
  .meta({ id: 'QueueEntry' })
/**
 * `GET /demos/{demo_id}/queue`: the running predictions, then the waiting ones in their order. `DELETE` cancels all
 * that wait, and answers their number.
 */
export const queueView = z
  .object({ entries: z.array(queueEntry).describe('At most 500'), running: z.int(), waiting: z.int() })
  .meta({ id: 'Queue' })
export type QueueView = z.infer<typeof queueView>
export const queueEmptied = z.object({ canceled: z.int() }).meta({ id: 'QueueEmptied' })

/**
 * One event of `GET /events?after=seq` (SSE, whose id is `seq` and whose data is this). `deployment` is null when the
 * event concerns the whole demo.
 */
export const controlEvent = z.object({
  seq: z.int(),
  demo: z.string(),
  deployment: z.string().nullable(),
  from: z.string().nullable(),
  to: z.string(),
  reason: z.string().nullable(),
  at: time,
})
export type ControlEvent = z.infer<typeof controlEvent>

/** The body of every error of the daemon and of the web server's own API. */
export const errorBody = z
  .object({
    error: z.string().describe('For people: what was expected, what came'),
    id: z.string().optional().describe('Of a 5xx: it is in the log too; the text says no more than that'),
    status: z.literal('failed').optional().describe('Of a 503, to those who read it as a prediction'),
  })
  .meta({ id: 'Error' })

/** The header in which the web server tells the daemon who calls. */
export const visitorHeader = 'origami-visitor'
/**
 * The header in which it identifies the address of a caller who is not signed in, by a name that does not reveal the
 * address.
 */
export const addressHeader = 'origami-address'
