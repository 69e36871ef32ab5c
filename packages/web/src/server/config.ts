import type { ForgeEntry } from '@origami/protocol/control'

/** What an operator chooses. */
export interface WebConfig {
  /** The state folder: database and keys. */
  readonly data: string
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** The address people use, when another server stands in front. */
  readonly publicUrl?: string | undefined
  readonly daemon: {
    readonly url: string
    readonly tls: { readonly ca: string; readonly cert: string; readonly key: string }
  }
  readonly forges: readonly ForgeEntry[]
  /**
   * Who may deploy, besides the owner: `github.com/ann`, or `ann` at the first forge. Each is looked up there once,
   * then kept by its number.
   */
  readonly deployers: readonly string[]
  /** Private networks (CIDR) on which demos that run elsewhere may be, besides public addresses. */
  readonly networks?: readonly string[]
  /**
   * Addresses and networks (CIDR) of the servers in front, whose X-Forwarded-* is believed; nobody's when not given.
   */
  readonly trustedProxies?: readonly string[]
  /** The built pages. */
  readonly ui: string
  readonly limits?: Partial<WebLimits>
}

/** What is nobody's to see, apart from what may be shown. */
export interface WebSecrets {
  /** OAuth apps, by the forge's host. */
  readonly oauth: Readonly<Record<string, OAuthApp>>
}

/** Every limit of the web server. Read where it is used: `Web.configure` changes the object in place. */
export interface WebLimits {
  /** Requests from one address. */
  readonly requestsPerMinute: number
  /** Bytes of one JSON body. */
  readonly bodyBytes: number
  readonly fileBytes: number
  /** Until more of a body comes. */
  readonly bodyIdleMs: number
  /** Until all of a body is there. */
  readonly bodyMs: number
  /** Bytes of all bodies that are being read; one body is always taken. */
  readonly bodiesBytes: number
  /** How long a reader of an event stream may take nothing; then it is cut off, and joins again where it was. */
  readonly slowReaderMs: number
  /** The daemon's answer to one call about a prediction. */
  readonly callAnswerMs: number
  /** Without a byte moving, where a call carries many: files, and streams of events. */
  readonly callIdleMs: number
  /** The life of a certificate of the web server's or the daemon's. */
  readonly certificateDays: number
  /** Between two looks at how much of its life is left. */
  readonly certificateRoundMs: number
  /**
   * Without a sign from the daemon, on the connection that its events come by; then it counts as away, and is connected
   * to again.
   */
  readonly silenceMs: number
  /** The daemon's answer to something small. */
  readonly daemonAnswerMs: number
  /** The daemon's answer to a change, which may have to end what runs first. */
  readonly daemonChangeMs: number
  /** How long an answer of the daemon about a demo serves all who look at it, and of how many demos one is stored. */
  readonly detailsFreshMs: number
  readonly detailsKept: number
  /** Between two times that the daemon is asked how often demos ran. */
  readonly runsRoundMs: number
  /** Between two sweeps of sessions and codes that are too old. */
  readonly sweepMs: number
  /** One answer of a forge, to its last byte. */
  readonly forgeAnswerMs: number
  readonly forgeAnswerBytes: number
  /** Questions to forges at a time about whether repositories are bundles. */
  readonly forgeQuestions: number
  /** Repositories of one account that a forge is asked for. */
  readonly repositories: number
  /** How long such a list is shown before the forge is asked again, and how many lists are kept. */
  readonly repositoriesFreshMs: number
  readonly repositoryLists: number
  /** Between two looks at the demos that run elsewhere. */
  readonly elsewhereRoundMs: number
  /** One answer of such a demo, to its last byte; three are asked for. */
  readonly elsewhereAnswerMs: number
  readonly elsewhereAnswerBytes: number
  readonly elsewhereAtOnce: number
  /** Tries a minute from one address to sign in by the owner's link, and programs that ask to sign in. */
  readonly signInsPerMinute: number
  /** Looks at the codes of programs, and answers to them, a minute from one address. */
  readonly codeTriesPerMinute: number
  /** Programs that wait to be let in. */
  readonly deviceCodes: number
  /** Between leaving for a forge to sign in and coming back. */
  readonly signInMs: number
  /** How long a sign-in lasts. */
  readonly sessionDays: number
  /** New visitors an hour from one address; whoever comes beyond is that address. */
  readonly visitorsPerAddress: number
  /** Addresses whose new visitors are counted; beyond it the oldest is forgotten. */
  readonly addressesCounted: number
  /** How long a browser is known again as the visitor that it was. */
  readonly visitorDays: number
  /** How long a browser may see an unlisted demo after it came by its link. */
  readonly unlistedDays: number
}

export const defaultLimits: WebLimits = {
  requestsPerMinute: 600,
  bodyBytes: 32 * 1024 ** 2,
  fileBytes: 100 * 1024 ** 2,
  bodyIdleMs: 30_000,
  bodyMs: 5 * 60_000,
  bodiesBytes: 256 * 1024 ** 2,
  slowReaderMs: 60_000,
  callAnswerMs: 30_000,
  callIdleMs: 60_000,
  certificateDays: 90,
  certificateRoundMs: 60 * 60_000,
  silenceMs: 45_000,
  daemonAnswerMs: 15_000,
  daemonChangeMs: 60_000,
  detailsFreshMs: 5_000,
  detailsKept: 1_000,
  runsRoundMs: 60_000,
  sweepMs: 10 * 60_000,
  forgeAnswerMs: 10_000,
  forgeAnswerBytes: 2 * 1024 ** 2,
  forgeQuestions: 4,
  repositories: 1_000,
  repositoriesFreshMs: 60_000,
  repositoryLists: 200,
  elsewhereRoundMs: 60_000,
  elsewhereAnswerMs: 10_000,
  elsewhereAnswerBytes: 1024 ** 2,
  elsewhereAtOnce: 8,
  signInsPerMinute: 20,
  codeTriesPerMinute: 30,
  deviceCodes: 10_000,
  signInMs: 10 * 60_000,
  sessionDays: 30,
  visitorsPerAddress: 60,
  addressesCounted: 10_000,
  visitorDays: 365,
  unlistedDays: 30,
}

export interface OAuthApp {
  readonly clientId: string
  readonly clientSecret: string
}
