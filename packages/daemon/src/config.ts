import type { ForgeEntry } from '@origami/protocol/control'

/** What an operator chooses. */
export interface DaemonConfig {
  /** The state folder, owned by one daemon: database, logs, files, keys. */
  readonly data: string
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** PEM files. The key must be readable by its owner alone. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string }
  readonly engine: 'docker' | 'process'
  readonly forges: readonly ForgeEntry[]
  /** Variables of the environment: git, installers and instances are handed what they need of it. */
  readonly environment: Environment
  readonly limits?: Partial<Limits>
}

export type Environment = Readonly<Record<string, string | undefined>>

export interface Limits {
  /** Deployments that clone and build at a time; and as many instances that start at a time. */
  readonly deployments: number
  /** Predictions running at a time on this host. */
  readonly running: number
  /**
   * The part of `running` that one demo may hold, above 0 to 1, so that a place is left for whoever comes to another.
   */
  readonly runningPerDemo: number
  /** Predictions waiting for one demo; more are refused. */
  readonly waiting: number
  /** Of those, what one visitor may have waiting; calls that name no visitor are one together. */
  readonly waitingPerVisitor: number
  /**
   * Of those, what callers of one address who are not signed in may have waiting, whatever visitors they say they are.
   */
  readonly waitingPerAddress: number
  /** Seconds one prediction may run at most, whatever its demo's `timeout` says. */
  readonly predictionSeconds: number
  /** How long an instance has to say that a canceled prediction ended; then it is so without its word. */
  readonly cancelMs: number
  /** Before an instance that took nothing is tried again: after the first time, the second, …; the last for ever. */
  readonly retryMs: readonly number[]
  /** Of what a running prediction told, kept for who follows it later; older parts are folded into one. */
  readonly liveEvents: number
  readonly liveBytes: number
  /** Bytes of what one prediction may put out as text and JSON. */
  readonly outputBytes: number
  /** Events of deployments go when they are older than this, and when there are more than that. */
  readonly eventDays: number
  readonly eventsKept: number
  /** Deployments of one demo that ended, the newest of which are kept with their log. */
  readonly deploymentsKept: number
  /** Rows that a sweep changes in one go, at most: fewer where they take more than a few milliseconds. */
  readonly sweepRows: number
  readonly fileBytes: number
  /** Bytes of one JSON body. */
  readonly bodyBytes: number
  /** Until more of a body comes. */
  readonly bodyIdleMs: number
  /** Until all of a body is there. */
  readonly bodyMs: number
  /** Bytes of all bodies that are being read; one body is always taken. */
  readonly bodiesBytes: number
  /** How long a reader of an event stream may take nothing; then it is cut off, and joins again where it was. */
  readonly slowReaderMs: number
  /** An instance's answer to one call about a prediction. */
  readonly callAnswerMs: number
  /** Without a byte moving, where a call carries many: files, and streams of events. */
  readonly callIdleMs: number
  /** Fetching a file that a URL names, to its last byte. */
  readonly fetchMs: number
  /** Until more of such a file comes. */
  readonly fetchIdleMs: number
  /** Bytes of a demo's log on disk. */
  readonly logBytes: number
  readonly treeBytes: number
  readonly treeFiles: number
  /** Of an instance whose `.origami` says nothing. */
  readonly memoryBytes: number
  readonly cpus: number
  readonly pids: number
  readonly cloneMs: number
  readonly buildMs: number
  readonly drainMs: number
  /** Looking at a bundle that was fetched; a container or process that comes up; the route that turns to it. */
  readonly validateMs: number
  readonly startMs: number
  readonly switchMs: number
  /** What an instance that is stopped may still take, between being asked to end and being killed. */
  readonly stopGraceMs: number
  /** For all of a demo to end when it is stopped; then the answer says so, and it ends without being waited for. */
  readonly stopMs: number
  /** For what an instance that exited printed last to be in the log. */
  readonly lastLogMs: number
  /** Instances asked at a time whether they serve: fifty that hang must not hold fifty connections. */
  readonly healthChecks: number
  readonly resultDays: number
  /** Bytes of one page of a visitor's results; what is beyond is on the next. */
  readonly resultsPageBytes: number
  readonly uploadHours: number
  /** How long an instance that starts keeps its place among those that start at a time. */
  readonly startSlotMs: number
  /** Fetching all result files of one prediction from its instance. */
  readonly resultMs: number
  /** Between two comparisons of the store with the engine. */
  readonly reconcileMs: number
  /** Between two signs on the stream of events that nothing is lost, when nothing happens. */
  readonly keepAliveMs: number
  /** An answer of an instance to "are you there"; one that takes longer counts as none. */
  readonly answerMs: number
  /** Crashes of a version within `crashWindowMs`; one more, and the last version that served well takes its place. */
  readonly crashes: number
  readonly crashWindowMs: number
  /**
   * Before a version that could not be started again is tried once more: after the first failure, the second, …; the
   * last for ever.
   */
  readonly reviveAfterMs: readonly number[]
  /** Versions of a demo that served well whose images are kept. */
  readonly keepVersions: number
  /** Times that a deployment may have been under way when its daemon died; then it is not tried again. */
  readonly interruptions: number
  /** An answer of Docker's to one call. */
  readonly engineMs: number
  /** Until a process that was killed is gone; one that is not is told. */
  readonly killMs: number
  /** Characters of the end of what one prediction printed, and of its error, that are kept. */
  readonly predictionLogLength: number
  readonly predictionErrorLength: number
  /** Bytes of what an instance of the process engine printed that the daemon has not read; the oldest eighth goes. */
  readonly unreadLogBytes: number
  /** Bytes of one line of a log; what is beyond is dropped, and the line says so. */
  readonly logLineBytes: number
  /** Bytes of Docker's cache of builds, the whole host's, that are left after a build; 0: it is not touched. */
  readonly buildCacheBytes: number
}

const gigabyte = 1024 ** 3

export const defaultLimits: Limits = {
  deployments: 2,
  running: 8,
  runningPerDemo: 0.75,
  waiting: 100,
  waitingPerVisitor: 20,
  waitingPerAddress: 50,
  predictionSeconds: 3600,
  cancelMs: 4_000,
  retryMs: [250, 500, 1_000, 2_000, 5_000, 10_000],
  liveEvents: 2_000,
  liveBytes: 4 * 1024 ** 2,
  outputBytes: 64 * 1024 ** 2,
  eventDays: 30,
  eventsKept: 10_000,
  deploymentsKept: 200,
  sweepRows: 200,
  fileBytes: 100 * 1024 ** 2,
  bodyBytes: 32 * 1024 ** 2,
  bodyIdleMs: 30_000,
  bodyMs: 5 * 60_000,
  bodiesBytes: 256 * 1024 ** 2,
  slowReaderMs: 60_000,
  callAnswerMs: 30_000,
  callIdleMs: 60_000,
  fetchMs: 5 * 60_000,
  fetchIdleMs: 30_000,
  logBytes: 10 * 1024 ** 2,
  treeBytes: 5 * gigabyte,
  treeFiles: 50_000,
  memoryBytes: 4 * gigabyte,
  cpus: 2,
  pids: 512,
  cloneMs: 5 * 60_000,
  buildMs: 60 * 60_000,
  drainMs: 60_000,
  validateMs: 60_000,
  startMs: 2 * 60_000,
  switchMs: 30_000,
  stopGraceMs: 10_000,
  stopMs: 15_000,
  lastLogMs: 30_000,
  healthChecks: 8,
  resultDays: 30,
  resultsPageBytes: 16 * 1024 ** 2,
  uploadHours: 24,
  startSlotMs: 2 * 60_000,
  resultMs: 5 * 60_000,
  reconcileMs: 30_000,
  keepAliveMs: 15_000,
  answerMs: 5_000,
  crashes: 3,
  crashWindowMs: 10 * 60_000,
  reviveAfterMs: [60_000, 5 * 60_000, 15 * 60_000, 60 * 60_000],
  keepVersions: 3,
  interruptions: 3,
  engineMs: 30_000,
  killMs: 10_000,
  predictionLogLength: 64 * 1024,
  predictionErrorLength: 16 * 1024,
  unreadLogBytes: 8 * 1024 ** 2,
  logLineBytes: 64 * 1024,
  buildCacheBytes: 0,
}
