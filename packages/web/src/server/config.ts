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
  /** Who may deploy, besides the owner: `github.com/ann`, or `ann` at the first forge. Each is looked up there once, then kept by its number. */
  readonly deployers: readonly string[]
  /** Private networks (CIDR) on which demos that run elsewhere may be, besides public addresses. */
  readonly networks?: readonly string[]
  /** Addresses and networks (CIDR) of the servers in front, whose X-Forwarded-* is believed; nobody's when not given. */
  readonly trustedProxies?: readonly string[]
  /** The built pages. */
  readonly ui: string
  readonly limits?: Partial<WebLimits>
}

/** Every limit of the web server. Read where it is used: `Web.configure` changes the object in place. */
export interface WebLimits {
  /** Requests from one address. */
  readonly requestsPerMinute: number
  /** Bytes of one JSON body. */
  readonly bodyBytes: number
  readonly fileBytes: number
  /** The life of a certificate of the web server's or the daemon's. */
  readonly certificateDays: number
  /** Between two looks at how much of its life is left. */
  readonly certificateRoundMs: number
  /** Without a sign from the daemon, on the connection that its events come by; then it counts as away, and is connected to again. */
  readonly silenceMs: number
  /** The daemon's answer to something small. */
  readonly daemonAnswerMs: number
  /** How long a sign-in lasts. */
  readonly sessionDays: number
  /** New visitors an hour from one address; whoever comes beyond is that address. */
  readonly visitorsPerAddress: number
}

export const defaultLimits: WebLimits = {
  requestsPerMinute: 600,
  bodyBytes: 32 * 1024 ** 2,
  fileBytes: 100 * 1024 ** 2,
  certificateDays: 90,
  certificateRoundMs: 60 * 60_000,
  silenceMs: 45_000,
  daemonAnswerMs: 15_000,
  sessionDays: 30,
  visitorsPerAddress: 60,
}

export interface OAuthApp {
  readonly clientId: string
  readonly clientSecret: string
}
