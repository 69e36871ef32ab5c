import { z } from 'zod'
import { predictionSnapshot } from '../demo/prediction.ts'
import { demoSchema } from '../demo/schema.ts'
import { demoDetail, deploymentList, errorBody } from './routes.ts'
import { demoStates } from './states.ts'

/**
 * The web server's own API, under `/-/api`. Its pages and the command `origami` use it, and `GET /-/openapi.json`
 * describes it.
 */

const accountInfo = z
  .object({
    handle: z.string(),
    name: z.string().nullable(),
    avatar: z.string().nullable(),
    owner: z.boolean().describe('Runs this server'),
    may_deploy: z.boolean(),
  })
  .meta({ id: 'Account' })
export type AccountInfo = z.infer<typeof accountInfo>

/** `GET /-/api/session` */
export const session = z
  .object({
    account: accountInfo.nullable(),
    csrf: z.string().describe('Sent back as `x-csrf-token` with every change that a cookie authorises'),
    forges: z.array(
      z.object({
        host: z.string(),
        sign_in: z.boolean().describe('People can sign in there: `/-/sign-in/{host}?return=/path`'),
        repositories: z
          .boolean()
          .describe('It tells what repositories people have: `/-/api/repositories?forge={host}`'),
      }),
    ),
    daemon: z.boolean().describe('Whether the daemon answers'),
  })
  .meta({ id: 'Session' })
export type Session = z.infer<typeof session>

/** `POST /-/api/session/link`: the secret of the one-time link that the server prints for its owner. */
export const ownerSecret = z.strictObject({ secret: z.string().max(200) }).meta({ id: 'OwnerSecret' })

/**
 * The state of a demo on pages: the daemon's, or, for a demo that runs on somebody's own server, whether it answers, or
 * that no deploy has reached the daemon yet.
 */
const pageStates = [...demoStates, 'elsewhere', 'unreachable', 'undeployed'] as const
export type PageState = (typeof pageStates)[number]

const demoName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'expected 1 to 63 of a-z 0-9 . _ -')

/** A demo in a list: `GET /-/api/demos?q=&sort=new|used|name`, `GET /-/api/accounts/{account}`, `GET /-/api/mine`. */
const demoCard = z
  .object({
    id: z.string().describe("The daemon's id: what the cover is drawn from"),
    address: z.string().describe('`/account/name`'),
    account: z.string(),
    name: z.string(),
    title: z.string(),
    description: z.string(),
    state: z.enum(pageStates),
    public: z.boolean(),
    runs: z.int(),
    created_at: z.string(),
  })
  .meta({ id: 'DemoCard' })
export type DemoCard = z.infer<typeof demoCard>
export const demoList = z.object({ demos: z.array(demoCard) }).meta({ id: 'Demos' })
export const accountDemos = demoList.extend({ account: accountInfo }).meta({ id: 'AccountDemos' })

export const demoSorts = ['new', 'used', 'name'] as const
export const demoQuery = z.object({
  q: z.string().max(200).default('').describe('Words of its title, description, name or account'),
  sort: z.enum(demoSorts).default('new'),
})

/** `GET /-/api/demos/{account}/{name}`, and each message of `…/events` (SSE, event `demo`). */
export const demoPage = demoCard
  .extend({
    link: z.string().nullable().describe("The repository's link; null for those who may not see it"),
    url: z.string().nullable().describe('Where it runs, when that is not here'),
    unlisted: z.string().nullable().describe('For its owner, when it is not public: the path that lets others in'),
    commit: z.string().nullable(),
    schema: demoSchema.nullable(),
    cross_origin: z.boolean().describe('Whether pages of other sites may run it, where it is public'),
    mine: z.boolean().describe('Whether who asks may deploy, stop, start and remove it, and read its log'),
    controls: z.boolean().describe("Whether who asks may stop, hide and remove it: its owner, and this server's"),
    detail: demoDetail.extend(deploymentList.shape).nullable().describe('For its owner: why, deployments, places'),
  })
  .meta({ id: 'DemoPage' })
export type DemoPage = z.infer<typeof demoPage>

/** `GET /-/api/demos/{account}/{name}?key=` */
export const demoKey = z.object({ key: z.string().optional().describe('Of the unlisted link: lets in whoever has it') })

/** `PATCH /-/api/demos/{account}/{name}` */
export const demoChange = z
  .strictObject({
    public: z.boolean().optional(),
    name: demoName.optional(),
    cross_origin: z.boolean().optional().describe('False: pages of other sites cannot run it. Programs always can.'),
  })
  .meta({ id: 'DemoChange' })

const expectedNumber = 'expected a whole number from 0'
const wholeNumber = z.coerce
  .number(expectedNumber)
  .int(expectedNumber)
  .min(0, expectedNumber)
  .max(999_999_999_999_999, expectedNumber)

/** `GET …/results?before=`: a page of the predictions that this visitor made. */
export const resultsQuery = z.object({
  before: wholeNumber.optional().describe('The `next` of a page: what is older than that page'),
})
export const results = z
  .object({
    predictions: z.array(predictionSnapshot),
    next: z.int().optional().describe('There are older ones: ask for them by this `before`'),
  })
  .meta({ id: 'Results' })

/** `GET /-/api/audit?before=`: the newest acts first. */
export const auditQuery = z.object({
  before: wholeNumber.optional().describe('The `next` of a page: what is older than that page'),
})
const auditEntry = z
  .object({
    seq: z.int(),
    at: z.string(),
    account: z.string().nullable().describe('Who did it; null where nobody was signed in'),
    by: z.string().describe('By what: `session`, `token` and its id, `nobody signed in`, or `command` on the host'),
    address: z.string().nullable().describe('Where the request came from; null of a command on the host'),
    request: z.string().nullable().describe("The request's id, as in the server's log"),
    action: z.string().describe('The `operationId` of what was asked'),
    object: z.string().nullable().describe("A demo's address, or the id or name of something else"),
    before: z.record(z.string(), z.unknown()).nullable(),
    after: z.record(z.string(), z.unknown()).nullable(),
    failure: z.string().nullable().describe('Why it failed; null where it was done'),
  })
  .meta({ id: 'AuditEntry' })
export type AuditEntry = z.infer<typeof auditEntry>
export const auditPage = z
  .object({
    entries: z.array(auditEntry),
    next: z.int().optional().describe('There are older ones: ask for them by this `before`'),
  })
  .meta({ id: 'AuditPage' })
export type AuditPage = z.infer<typeof auditPage>

/** `GET …/logs` */
export const logQuery = z.object({
  offset: wholeNumber.default(0).describe('The byte to start at'),
  follow: z.enum(['0', '1']).default('0').describe('1: goes on as lines come'),
})

/** `GET /-/api/repositories?forge=host&q=` */
export const repositoryQuery = z.object({
  forge: z.string().max(300).default('').describe('Its host, as in the session'),
  q: z.string().max(200).default('').describe('Part of its owner or name'),
})
const repository = z
  .object({
    link: z.string(),
    owner: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    private: z.boolean(),
    pushed_at: z.string().nullable(),
    linked: z
      .boolean()
      .nullable()
      .describe('Whether `.origami` is in its root; null where that is not known (private, not authorised yet)'),
  })
  .meta({ id: 'Repository' })
export type Repository = z.infer<typeof repository>
export const repositoryList = z
  .object({
    repositories: z.array(repository),
    private_authorised: z.boolean(),
    cut: z
      .boolean()
      .describe('Whether there may be more than these: a longer part of the name finds them, or the link'),
  })
  .meta({ id: 'Repositories' })
export type RepositoryList = z.infer<typeof repositoryList>

export const repositoryLink = z.strictObject({ link: z.string().max(500) }).meta({ id: 'Link' })

/** `POST /-/api/inspect {link}`: what the link leads to, before a deploy. Null stands for what a forge does not say. */
export const inspection = z
  .object({
    link: z.string(),
    name: z.string().describe('The name the demo would get'),
    private: z.boolean(),
    linked: z.boolean().nullable(),
    dockerfile: z.boolean().nullable(),
    commit: z.object({ sha: z.string(), message: z.string() }).nullable(),
    demo: z.object({ address: z.string() }).nullable().describe('The one that you have of it already'),
  })
  .meta({ id: 'Inspection' })
export type Inspection = z.infer<typeof inspection>

export const elsewhereUrl = z.strictObject({ url: z.string().max(500) }).meta({ id: 'ElsewhereUrl' })

/** `POST /-/api/inspect {url}`: a demo that answers on somebody's own server. */
export const elsewhereInspection = z
  .object({
    url: z.string(),
    name: z.string().describe('The name the demo would get'),
    title: z.string(),
    description: z.string(),
    inputs: z.array(z.string()).describe('Their labels'),
  })
  .meta({ id: 'ElsewhereInspection' })
export type ElsewhereInspection = z.infer<typeof elsewhereInspection>

/**
 * `POST /-/api/demos`: answers 201 with a DemoPage (200 when the link had a demo already), or 403 `{error, authorize}`
 * when the forge must be asked first.
 */
export const newDemo = z
  .strictObject({
    link: z.string().max(500),
    name: demoName.optional().describe("Without it, the repository's"),
    public: z.boolean().optional().describe('Of a private repository it must be said'),
  })
  .meta({ id: 'NewDemo' })

/**
 * `POST /-/api/demos` for a demo that runs elsewhere. Its URL is checked, and then listed and linked. It has no queue
 * here.
 */
export const newElsewhere = z
  .strictObject({
    url: z.string().max(500).describe('Where a runtime answers'),
    name: demoName.optional().describe('Without it, one made of its title'),
    public: z.boolean().optional(),
  })
  .meta({ id: 'NewElsewhere' })

/** The 403 for a link about which the forge must be asked first. */
export const authorizeFirst = errorBody
  .extend({ authorize: z.string().describe('Where a browser goes to ask') })
  .meta({ id: 'AuthorizeFirst' })

/** `POST /-/api/device`: a program asks to sign in (RFC 8628), as `origami login` does. */
export const newDevice = z
  .strictObject({
    host: z
      .string()
      .trim()
      .regex(/^[ -~]{1,100}$/, 'expected 1 to 100 letters of ASCII')
      .optional()
      .describe('The machine that asks, for people; its address when not said'),
  })
  .meta({ id: 'NewDevice' })
export const deviceBegun = z
  .object({
    device_code: z.string().describe('For the program alone'),
    user_code: z.string().describe('`ABCD-EFGH`: shown to the person'),
    verification_uri: z.string(),
    verification_uri_complete: z.string().describe('The page, with the code in it'),
    expires_in: z.int().describe('Seconds'),
    interval: z.int().describe('Seconds to wait between two questions'),
  })
  .meta({ id: 'DeviceBegun' })
/** `POST /-/api/device/token`: repeated until there is a token, or a reason that ends it. */
export const deviceToken = z.strictObject({ device_code: z.string().max(200) }).meta({ id: 'DeviceToken' })
export const deviceSignedIn = z
  .object({ token: z.string().describe('Told this once'), handle: z.string() })
  .meta({ id: 'DeviceSignedIn' })
const deviceReasons = ['authorization_pending', 'slow_down', 'access_denied', 'expired_token', 'used'] as const
export type DeviceReason = (typeof deviceReasons)[number]
export const deviceRefused = errorBody.extend({ reason: z.enum(deviceReasons) }).meta({ id: 'DeviceRefused' })
/** `GET /-/api/device?code=`: which program asks. */
export const deviceQuery = z.object({ code: z.string().max(20).default('').describe('The code that the person reads') })
export const deviceAsking = z
  .object({
    host: z.string(),
    agent: z.string(),
    address: z.string(),
    expires_at: z.string(),
  })
  .meta({ id: 'DeviceAsking' })
/** `POST /-/api/device/answer` */
export const deviceAnswer = z
  .strictObject({ code: z.string().max(20), allow: z.boolean() })
  .meta({ id: 'DeviceAnswer' })

/** `GET /-/api/tokens`; `POST /-/api/tokens` takes newToken and answers madeToken; `DELETE /-/api/tokens/{id}`. */
/** What a token may do, as text for people. */
export const tokenScopes = {
  run: 'Call demos as you, and see what you ran',
  deploy: 'Make, change, stop and remove your demos, and read their logs and queues',
  admin: 'See and end your tokens and sessions; for the owner of a server, also what only they may do',
} as const
export type TokenScope = keyof typeof tokenScopes
const scopes = z
  .array(z.enum(['run', 'deploy', 'admin'] satisfies TokenScope[]))
  .min(1)
  .max(3)
const tokenInfo = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes,
    created_at: z.string(),
    used_at: z.string().nullable().describe('To the hour'),
    expires_at: z.string().nullable().describe('Null: never'),
  })
  .meta({ id: 'Token' })
export type TokenInfo = z.infer<typeof tokenInfo>
export const tokenList = z.object({ tokens: z.array(tokenInfo) }).meta({ id: 'Tokens' })
export const newToken = z
  .strictObject({
    name: z.string().trim().min(1).max(100).describe('For people, to know it by'),
    scopes: scopes.default(['run', 'deploy']),
    days: z
      .int()
      .min(1)
      .max(3650)
      .nullable()
      .default(365)
      .describe('How long it is good for; null: until it is revoked'),
  })
  .meta({ id: 'NewToken' })
/** `GET /-/api/sessions` */
const sessionInfo = z
  .object({
    id: z.string(),
    created_at: z.string(),
    agent: z
      .string()
      .nullable()
      .describe('The browser, as it names itself; null of one that began before this was kept'),
    address: z.string().nullable().describe('Where it began'),
    current: z.boolean().describe('Whether it is the one that asks'),
  })
  .meta({ id: 'BrowserSession' })
export const sessionList = z.object({ sessions: z.array(sessionInfo) }).meta({ id: 'BrowserSessions' })
export const madeToken = z
  .object({ id: z.string(), name: z.string(), token: z.string().describe('Shown this once') })
  .meta({ id: 'MadeToken' })
