import { z } from 'zod'
import { demoSchema } from '../demo/schema.ts'
import { demoStates, deploymentStates } from './states.ts'

const time = z.string().describe('ISO 8601 in UTC')

/** Body of `POST /deploy_trigger`. */
export const deployTrigger = z.strictObject({
  /** Null where the repository is public. */
  user_access_token: z.string().min(1).max(1000).nullable(),
  user_id: z.string().regex(/^[A-Za-z0-9_-]{1,100}$/, 'expected 1 to 100 of A-Z a-z 0-9 _ -'),
  remote_repo_link: z.string().min(1).max(500),
})
/** Its answer, 202: both stored durably. */
export const deployAccepted = z.object({ demo_id: z.string(), deployment_id: z.string() })

/** One attempt to bring one commit live. */
export const deployment = z.object({
  id: z.string(),
  demo_id: z.string(),
  state: z.enum(deploymentStates),
  /** For people: why it is in this state, and what to do. Null when all is well. */
  reason: z.string().nullable(),
  commit: z.string().nullable(),
  /** First line of the commit's message. */
  commit_message: z.string().nullable(),
  created_at: time,
  updated_at: time,
  /** When the present step fails by itself. */
  deadline_at: time.nullable(),
  superseded_by: z.string().nullable(),
  /** States it went through, oldest first, with when it entered each. */
  steps: z.array(z.object({ state: z.enum(deploymentStates), at: time })),
  /** The last lines of its log, once it failed. */
  log_tail: z.array(z.string()),
})
export type Deployment = z.infer<typeof deployment>

/** One row of `GET /stats`. */
export const demoStats = z.object({
  demo_id: z.string(),
  user_id: z.string(),
  /** The demo's id, as the seed document has it. */
  container_id: z.string(),
  instance_id: z.string().nullable(),
  port: z.int().nullable(),
  repolink: z.string(),
  status: z.enum(demoStates),
  reason: z.string().nullable(),
  /** Predictions: waiting, running now, and ended in all. */
  waiting: z.int(),
  running: z.int(),
  runs: z.int(),
  commit: z.string().nullable(),
  serving: z.string().nullable().describe('the deployment that answers'),
  newest: deployment.nullable(),
})
export type DemoStats = z.infer<typeof demoStats>

/** `GET /stats/{demo_id}`: the row, and what the pages need. */
export const demoDetail = demoStats.extend({
  /** Newest first, at most 50. */
  deployments: z.array(deployment),
  /** Of the version that serves, or served last. */
  schema: demoSchema.nullable(),
})
export type DemoDetail = z.infer<typeof demoDetail>

/** One line of `GET /events?after=seq` (SSE: id = seq, data = this). `deployment` is null when it is the demo as a whole. */
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

/** Every error of the daemon and of the web server's own API. `id` is in the log too; the text of a 5xx says no more than that. */
export const errorBody = z.object({ error: z.string(), id: z.string().optional() })

/** Header by which the web server tells the daemon who calls. */
export const visitorHeader = 'origami-visitor'
