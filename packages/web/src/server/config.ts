import type { Forge } from '@origami/protocol/control'

/** What an operator chooses. */
export interface WebConfig {
  /** The state folder: database and keys. */
  readonly data: string
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** The address people use, when another server stands in front. */
  readonly publicUrl?: string | undefined
  readonly daemon: { readonly url: string; readonly tls: { readonly ca: string; readonly cert: string; readonly key: string } }
  readonly forges: readonly Forge[]
  /** OAuth apps, by the forge's host. */
  readonly oauth: Readonly<Record<string, OAuthApp>>
  /** Handles of accounts that may deploy, besides the owner. */
  readonly deployers: readonly string[]
  /** Private networks (CIDR) on which demos that run elsewhere may be, besides public addresses. */
  readonly networks?: readonly string[]
  /** The built pages. */
  readonly ui: string
  /** Requests a minute from one address, to our own API; 600 when not set. */
  readonly requestsPerMinute?: number
}

export interface OAuthApp {
  readonly clientId: string
  readonly clientSecret: string
}
