import type { ForgeEntry } from '@origami/protocol/control'

/** What an operator chooses. */
export interface WebConfig {
  /** The state folder: database and keys. */
  readonly data: string
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** The public address, when a proxy is in front of this server. */
  readonly publicUrl?: string | undefined
  readonly daemon: {
    readonly url: string
    readonly tls: { readonly ca: string; readonly cert: string; readonly key: string }
  }
  readonly forges: readonly ForgeEntry[]
  /**
   * Who may deploy besides the owner: `github.com/ann`, or `ann` for the first forge. Each is looked up there once, and
   * then stored by number.
   */
  readonly deployers: readonly string[]
  /** Private networks (CIDR) on which demos that run elsewhere may be, besides public addresses. */
  readonly networks?: readonly string[]
  /** Addresses and networks (CIDR) of proxies whose X-Forwarded-* is trusted. The default is none. */
  readonly trustedProxies?: readonly string[]
  /** How many trusted proxies a request may have come through. The default is 1. */
  readonly proxyHops?: number
  /** Names under which this server is called, besides that of its public address, addresses and `localhost`. */
  readonly allowedHosts?: readonly string[]
  /** The folder of the built pages. */
  readonly ui: string
  readonly limits?: Partial<WebLimits>
}

/** Settings that nobody may see, kept apart from those that may be shown. */
export interface WebSecrets {
  /** OAuth apps, by the forge's host. */
  readonly oauth: Readonly<Record<string, OAuthApp>>
}

/**
 * Every limit of the web server. They are read where they are used, because `Web.configure` changes the object in
 * place.
 */
export interface WebLimits {
  /** How many requests one address may send in a minute. */
  readonly requestsPerMinute: number
  /** How many requests of one address may be under way, and of all addresses: streams, waits and uploads are. */
  readonly openRequestsPerAddress: number
  readonly openRequests: number
  /** How many connections one address may have open, unless it is a trusted proxy, and how many all may. */
  readonly connectionsPerAddress: number
  readonly connections: number
  /** How long the first line and the headers of a request may take, to the last of them. */
  readonly headerMs: number
  /** The largest JSON body in bytes. */
  readonly bodyBytes: number
  readonly fileBytes: number
  /** How long all of an uploaded file may take. */
  readonly fileMs: number
  /** How long a body may stall before more of it comes. */
  readonly bodyIdleMs: number
  /** How long a whole body may take. */
  readonly bodyMs: number
  /** How many bytes all bodies that are being read may have together. One body is always accepted. */
  readonly bodiesBytes: number
  /**
   * How long a reader of an event stream may take nothing. After that it is disconnected, and can continue where it
   * was.
   */
  readonly slowReaderMs: number
  /** How long the daemon may take to answer one call about a prediction. */
  readonly callAnswerMs: number
  /** How long a call that carries files or an event stream may go without a byte. */
  readonly callIdleMs: number
  /** The life of a certificate of the web server or the daemon. */
  readonly certificateDays: number
  /** The time between two checks of how much of its life is left. */
  readonly certificateRoundMs: number
  /** How long the daemon's event stream may be silent. Then the daemon counts as away, and is connected to again. */
  readonly silenceMs: number
  /** How long the daemon may take for a small answer. */
  readonly daemonAnswerMs: number
  /** How long the daemon may take to answer a change, before which it may have to end something. */
  readonly daemonChangeMs: number
  /** How long the daemon's answer about a demo is used for all visitors, and for how many demos an answer is kept. */
  readonly detailsFreshMs: number
  readonly detailsKept: number
  /** The time between two queries of how often demos ran. */
  readonly runsRoundMs: number
  /** The time between two sweeps of old sessions and codes. */
  readonly sweepMs: number
  /** How long a forge may take for one answer, to its last byte. */
  readonly forgeAnswerMs: number
  readonly forgeAnswerBytes: number
  /** How many questions whether repositories are bundles are put to forges at the same time. */
  readonly forgeQuestions: number
  /** How many repositories of one account a forge is asked for. */
  readonly repositories: number
  /** How long such a list is used before the forge is asked again, and how many lists are kept. */
  readonly repositoriesFreshMs: number
  readonly repositoryLists: number
  /** The time between two checks of the demos that run elsewhere. */
  readonly elsewhereRoundMs: number
  /** How long such a demo may take for one answer, to its last byte. A check needs three answers. */
  readonly elsewhereAnswerMs: number
  /** How long all answers of one check may take, with the lookup of its address. */
  readonly elsewhereLookMs: number
  readonly elsewhereAnswerBytes: number
  readonly elsewhereAtOnce: number
  /**
   * How many attempts to sign in by the owner's link, and how many programs that ask to sign in, one address may make
   * in a minute.
   */
  readonly signInsPerMinute: number
  /** How often one address may look up or answer codes of programs in a minute. */
  readonly codeTriesPerMinute: number
  /** How many programs may wait for an answer. */
  readonly deviceCodes: number
  /** How long a person may take to sign in at a forge and come back. */
  readonly signInMs: number
  /** How long a sign-in lasts. */
  readonly sessionDays: number
  /** How many new visitors one address may make in an hour. Further ones count as that address. */
  readonly visitorsPerAddress: number
  /** How many addresses have their new visitors counted. Beyond it the oldest is forgotten. */
  readonly addressesCounted: number
  /** How long a browser is recognised as the same visitor. */
  readonly visitorDays: number
  /** How long a row of the audit log is kept. */
  readonly auditDays: number
  /** How long a browser may see an unlisted demo after it opened its link. */
  readonly unlistedDays: number
}

export const defaultLimits: WebLimits = {
  requestsPerMinute: 600,
  openRequestsPerAddress: 200,
  openRequests: 4_000,
  connectionsPerAddress: 500,
  connections: 8_000,
  headerMs: 20_000,
  bodyBytes: 32 * 1024 ** 2,
  fileBytes: 100 * 1024 ** 2,
  fileMs: 30 * 60_000,
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
  elsewhereLookMs: 15_000,
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
  auditDays: 365,
  unlistedDays: 30,
}

export interface OAuthApp {
  readonly clientId: string
  readonly clientSecret: string
}
