import { z } from 'zod'
import { demoSchema } from '../demo/schema.ts'
import { demoDetail } from './routes.ts'
import { demoStates } from './states.ts'

/** The web server's own API, under `/-/api`. Pages and `origami` the command use the same. */

export const accountInfo = z.object({
  handle: z.string(),
  name: z.string().nullable(),
  avatar: z.string().nullable(),
  /** Runs this server. */
  owner: z.boolean(),
  may_deploy: z.boolean(),
})
export type AccountInfo = z.infer<typeof accountInfo>

/** `GET /-/api/session` */
export const session = z.object({
  account: accountInfo.nullable(),
  /** Sent back as `x-csrf-token` with every change that a cookie authorises. */
  csrf: z.string(),
  forges: z.array(
    z.object({
      host: z.string(),
      /** People can sign in there: `/-/sign-in/{host}?return=/path`. */
      sign_in: z.boolean(),
    }),
  ),
  /** Whether the daemon answers. */
  daemon: z.boolean(),
})
export type Session = z.infer<typeof session>

/** What a page shows a demo to be: as the daemon has it, or, of one that runs on somebody's own server, whether it answers. */
export const pageStates = [...demoStates, 'elsewhere', 'unreachable'] as const
export type PageState = (typeof pageStates)[number]

/** A demo in a list: `GET /-/api/demos?q=&sort=new|used|name`, `GET /-/api/accounts/{account}`, `GET /-/api/mine`. */
export const demoCard = z.object({
  /** The daemon's id: what the cover is drawn from. */
  id: z.string(),
  /** `/account/name` */
  address: z.string(),
  account: z.string(),
  name: z.string(),
  title: z.string(),
  description: z.string(),
  state: z.enum(pageStates),
  public: z.boolean(),
  runs: z.int(),
  created_at: z.string(),
})
export type DemoCard = z.infer<typeof demoCard>
export const demoList = z.object({ demos: z.array(demoCard) })

/** `GET /-/api/demos/{account}/{name}`, and each message of `…/events` (SSE, event `demo`). */
export const demoPage = demoCard.extend({
  /** The repository's link; null for those who may not see it. */
  link: z.string().nullable(),
  /** Where it runs, when that is not here. */
  url: z.string().nullable(),
  /** For its owner, when it is not public: the path that lets others in. */
  unlisted: z.string().nullable(),
  commit: z.string().nullable(),
  schema: demoSchema.nullable(),
  /** Whether who asks may deploy, stop, start and remove it, and read its log. */
  mine: z.boolean(),
  /** For its owner: why, deployments, places. */
  detail: demoDetail.nullable(),
})
export type DemoPage = z.infer<typeof demoPage>

/** `GET /-/api/repositories?forge=host&q=` */
export const repository = z.object({
  link: z.string(),
  owner: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  private: z.boolean(),
  pushed_at: z.string().nullable(),
  /** Whether `.origami` is in its root; null where that is not known (private, not authorised yet). */
  linked: z.boolean().nullable(),
})
export type Repository = z.infer<typeof repository>
export const repositoryList = z.object({ repositories: z.array(repository), private_authorised: z.boolean() })

/** `POST /-/api/inspect {link}`: what is there, before it is deployed. What a forge cannot tell is null. */
export const inspection = z.object({
  link: z.string(),
  /** The name the demo would get. */
  name: z.string(),
  private: z.boolean(),
  linked: z.boolean().nullable(),
  dockerfile: z.boolean().nullable(),
  commit: z.object({ sha: z.string(), message: z.string() }).nullable(),
})
export type Inspection = z.infer<typeof inspection>

/** `POST /-/api/inspect {url}`: a demo that answers on somebody's own server. */
export const elsewhereInspection = z.object({
  url: z.string(),
  name: z.string(),
  title: z.string(),
  description: z.string(),
  inputs: z.array(z.string()),
})
export type ElsewhereInspection = z.infer<typeof elsewhereInspection>

export const demoName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'expected 1 to 63 of a-z 0-9 . _ -')

/** `POST /-/api/demos`: answers 201 DemoPage, or 403 `{error, authorize}` when the forge must be asked first. */
export const newDemo = z.strictObject({
  link: z.string().max(500),
  name: demoName.optional(),
  /** Of a private repository it must be said. */
  public: z.boolean().optional(),
})

/** `POST /-/api/demos` for one that runs elsewhere: its URL is checked, then listed and linked. There is no queue for it. */
export const newElsewhere = z.strictObject({
  url: z.string().max(500),
  name: demoName.optional(),
  public: z.boolean().optional(),
})

/** `GET /-/api/tokens`; `POST /-/api/tokens {name}` answers `{id, name, token}` once; `DELETE /-/api/tokens/{id}`. */
export const tokenInfo = z.object({ id: z.string(), name: z.string(), created_at: z.string(), used_at: z.string().nullable() })
export type TokenInfo = z.infer<typeof tokenInfo>
