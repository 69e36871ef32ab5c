import type { z } from 'zod'
import type { SchemaName } from './schemas.ts'

/** Who may call, in words. `sees`, `owner` and `redeployer` say it of the demo in the path; to others it is not there. */
export const callers = {
  anyone: 'Anyone',
  sees: 'Anyone, where the demo is public; else its owner, and who came by its unlisted link (`?key=`)',
  signedIn: 'Every account that is signed in',
  deployer: 'Accounts that may deploy here',
  owner: "The demo's owner",
  redeployer: "The demo's owner, who may deploy here",
} as const
export type Caller = keyof typeof callers

export const tags = {
  Account: 'Who one is: the session, and tokens for programs.',
  Demos: 'Every public demo, and your own: make, change, deploy, stop, remove.',
  Predictions:
    "A demo's own API, under its page's address. It is Cog's and more; the demo's own `openapi.json` names its inputs.",
  Documents: 'This description.',
} as const

/** One route, as a caller sees it. */
export interface Operation {
  readonly id: string
  readonly method: 'get' | 'put' | 'post' | 'patch' | 'delete'
  /** `/-/api/demos/{account}/{name}` */
  readonly path: string
  readonly tag: keyof typeof tags
  readonly summary: string
  readonly description?: string
  readonly who: Caller
  /** False: a program calls it, and neither cookie nor token says who asks. */
  readonly byCookie?: false
  readonly query?: z.ZodObject
  /** Headers that change the answer, by name, with what they do. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: { readonly schema: SchemaName; readonly example: unknown } | 'bytes'
  /** What it answers when all is well, by status. */
  readonly answers: Readonly<Record<number, Answer>>
  /** What it refuses beside what everything refuses, by status. */
  readonly refuses?: Readonly<Record<number, Answer>>
  /** Values of the path's parameters for an example, where the usual ones would do harm. */
  readonly example?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly what: string
  /** JSON of this schema; or a media type that is no JSON. */
  readonly body?: SchemaName | `${string}/${string}`
}
