import type { ForgeEntry } from '@origami/protocol/control'
import { type NetworkPolicy, networkPolicies } from '@origami/protocol/demo'

/** What an operator chooses. */
export interface DaemonConfig {
  /** The state folder, owned by one daemon: database, logs, files, keys. */
  readonly data: string
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Paths of PEM files. Only its owner may be able to read the key. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string }
  readonly engine: 'docker' | 'process'
  /** The OCI runtime of containers, as Docker knows it. Undefined: Docker's default. */
  readonly runtime?: string | undefined
  /** Whether demos and builds are refused where no firewall rules keep them from the host's network. */
  readonly requiresFirewall?: boolean
  readonly forges: readonly ForgeEntry[]
  /** The daemon's environment variables. Git, installers and instances get only those that they need. */
  readonly environment: Environment
  readonly limits?: Partial<Limits>
}

export type Environment = Readonly<Record<string, string | undefined>>

export interface Limits {
  /** How many deployments may clone and build at the same time. As many instances may start at the same time. */
  readonly deployments: number
  /** How many predictions may run on this host at the same time. */
  readonly running: number
  /** The share of `running` that one demo may hold, above 0 and at most 1. The rest stays free for other demos. */
  readonly runningPerDemo: number
  /** How many predictions may wait for one demo. More are refused. */
  readonly waiting: number
  /** How many of them one visitor may have waiting. Calls that name no visitor count as one visitor. */
  readonly waitingPerVisitor: number
  /**
   * How many of them callers from one address who are not signed in may have waiting, whatever visitors they say they
   * are.
   */
  readonly waitingPerAddress: number
  /** The longest time in seconds that one prediction may run, whatever its demo's `timeout` says. */
  readonly predictionSeconds: number
  /**
   * How long an instance has to report that a canceled prediction ended. After that the prediction ends without its
   * report.
   */
  readonly cancelMs: number
  /**
   * The waits before an instance that accepted nothing is tried again: after the first time, the second, and so on. The
   * last one repeats.
   */
  readonly retryMs: readonly number[]
  /** How many events of a running prediction are kept for those who start to follow it later. Older ones are merged. */
  readonly liveEvents: number
  readonly liveBytes: number
  /** How many bytes one prediction may output as text and JSON. */
  readonly outputBytes: number
  /** Events of deployments are removed when they are older than this, or when there are more than `eventsKept`. */
  readonly eventDays: number
  readonly eventsKept: number
  /** How many ended deployments of one demo are kept with their log. The newest are kept. */
  readonly deploymentsKept: number
  /** How many rows a sweep changes at once, at most. It takes fewer when they need more than a few milliseconds. */
  readonly sweepRows: number
  readonly fileBytes: number
  /** The largest JSON body in bytes. */
  readonly bodyBytes: number
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
  /** How long an instance may take to answer one call about a prediction. */
  readonly callAnswerMs: number
  /** How long a call that carries files or an event stream may go without a byte. */
  readonly callIdleMs: number
  /** How long fetching a file from a URL may take, to its last byte. */
  readonly fetchMs: number
  /** How long such a fetch may stall before more of the file comes. */
  readonly fetchIdleMs: number
  /** How many bytes a demo's log may have on disk. */
  readonly logBytes: number
  readonly treeBytes: number
  /** Files, links and folders of a repository together. */
  readonly treeFiles: number
  /** The longest path in a repository, in bytes. */
  readonly treePathBytes: number
  /** The address space, and the processor time, of each process of git. */
  readonly gitMemoryBytes: number
  readonly gitCpuMs: number
  /** The resources of an instance whose `.origami` names none. */
  readonly memoryBytes: number
  readonly cpus: number
  readonly pids: number
  readonly cloneMs: number
  readonly buildMs: number
  readonly drainMs: number
  /**
   * The time limits of three steps: checking a fetched bundle, starting its container or process, and turning the route
   * to it.
   */
  readonly validateMs: number
  readonly startMs: number
  readonly switchMs: number
  /** How long an instance that is stopped may take between SIGTERM and SIGKILL. */
  readonly stopGraceMs: number
  /**
   * How long stopping a demo may take before the answer says that it is not finished. It then ends in the background.
   */
  readonly stopMs: number
  /** How long to wait until the last output of an exited instance is in the log. */
  readonly lastLogMs: number
  /**
   * How many instances are asked for their health at the same time, so that hanging instances do not hold as many
   * connections.
   */
  readonly healthChecks: number
  readonly resultDays: number
  /** How many bytes one page of a visitor's results has. Further results are on the next page. */
  readonly resultsPageBytes: number
  readonly uploadHours: number
  /** How many bytes of ended predictions are kept for one demo, and for all together. The oldest go first. */
  readonly resultsDemoBytes: number
  readonly resultsBytes: number
  /** How many bytes of uploads are kept for one demo, and for all together. More are refused. */
  readonly uploadsDemoBytes: number
  readonly uploadsBytes: number
  /** How long a starting instance may hold its slot among those that start at the same time. */
  readonly startSlotMs: number
  /** How long fetching all result files of one prediction from its instance may take. */
  readonly resultMs: number
  /** The time between two comparisons of the store with the engine. */
  readonly reconcileMs: number
  /** The time between two keep-alive messages on an event stream on which nothing else happens. */
  readonly keepAliveMs: number
  /** How long an instance may take to answer a health check. A later answer counts as none. */
  readonly answerMs: number
  /**
   * How often a version may crash within `crashWindowMs`. After one more crash the last version that served well
   * replaces it.
   */
  readonly crashes: number
  readonly crashWindowMs: number
  /**
   * The waits before a version that could not be started is tried again: after the first failure, the second, and so
   * on. The last one repeats.
   */
  readonly reviveAfterMs: readonly number[]
  /** How many versions of a demo that served well keep their images. */
  readonly keepVersions: number
  /** How often the daemon may have died while it worked on a deployment before that deployment is not tried again. */
  readonly interruptions: number
  /** How long Docker may take to answer one call. */
  readonly engineMs: number
  /** How long a killed process may take to disappear. After that an error reports it. */
  readonly killMs: number
  /** How many characters are kept of the end of what one prediction printed, and of its error. */
  readonly predictionLogLength: number
  readonly predictionErrorLength: number
  /**
   * How many bytes of an instance's output may wait for the daemon to read them, in the process engine. The oldest
   * eighth is dropped.
   */
  readonly unreadLogBytes: number
  /** The longest line of a log in bytes. The rest of a longer line is dropped, and the line says so. */
  readonly logLineBytes: number
  /** How many bytes of Docker's build cache, which the whole host shares, are left after a build. 0 leaves it alone. */
  readonly buildCacheBytes: number
  /** The largest image in bytes, with the base images that it stands on. A larger one is removed after its build. */
  readonly imageBytes: number
  /** What all builds on this host may use together, where the engine can limit them. 0 bytes: they are left alone. */
  readonly buildMemoryBytes: number
  readonly buildCpus: number
  readonly buildPids: number
  /** No deployment begins to clone and build while less than this is free on a disk that it would fill. */
  readonly freeBuildBytes: number
  readonly freeBuildFiles: number
  /** A build under way is stopped when less than this is free. */
  readonly freeBuildingBytes: number
  /** Uploads are refused while less than this is free. */
  readonly freeUploadBytes: number
  readonly freeUploadFiles: number
  /** The time between two looks at the free space while something builds. */
  readonly freeSpaceMs: number
  /** The most that a demo may reach, whatever its `.origami` asks for. */
  readonly demoNetwork: NetworkPolicy
  /** `web`: builds reach public addresses, by HTTP and HTTPS, and mirrors. `open`: no rules are set for them. */
  readonly buildNetwork: 'web' | 'open'
  /** Networks with package mirrors, which builds may reach besides public addresses. */
  readonly mirrors: readonly string[]
}

/** The lesser of what a demo asks for and what its operator allows. */
export const allowedNetwork = (wanted: NetworkPolicy, { demoNetwork }: Pick<Limits, 'demoNetwork'>): NetworkPolicy =>
  networkPolicies.find((policy) => policy === wanted || policy === demoNetwork) ?? demoNetwork

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
  treePathBytes: 1024,
  gitMemoryBytes: 2 * gigabyte,
  gitCpuMs: 4 * 60_000,
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
  resultsDemoBytes: 10 * gigabyte,
  resultsBytes: 50 * gigabyte,
  uploadsDemoBytes: 5 * gigabyte,
  uploadsBytes: 20 * gigabyte,
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
  buildCacheBytes: 20 * gigabyte,
  imageBytes: 20 * gigabyte,
  buildMemoryBytes: 8 * gigabyte,
  buildCpus: 4,
  buildPids: 4096,
  freeBuildBytes: 5 * gigabyte,
  freeBuildFiles: 50_000,
  freeBuildingBytes: 2 * gigabyte,
  freeUploadBytes: gigabyte,
  freeUploadFiles: 10_000,
  freeSpaceMs: 500,
  demoNetwork: 'web',
  buildNetwork: 'web',
  mirrors: [],
}
