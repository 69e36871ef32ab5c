import { defaultLimits as daemonDefaults, type Limits } from '@origami/daemon/config'
import { type WebLimits, defaultLimits as webDefaults } from '@origami/web/config'
import { amount, choice, count, duration, type Kind, list, network, part, size, sizeOrNone, sizeUpTo } from './kinds.ts'

/** One limit as an operator sees it. It is set under `limits:` in `origami.yaml`. */
export interface Limit<Value> {
  readonly name: string
  readonly kind: Kind<Value>
  readonly meaning: string
}

type TableOf<All> = { readonly [Key in keyof All]: Limit<All[Key]> }

const limit = <Value>(name: string, kind: Kind<Value>, meaning: string): Limit<Value> => ({ name, kind, meaning })

/**
 * The daemon's limits as settings. A missing one is a type error. The table in docs/operator.md is generated from this
 * (`node scripts/limits-table.ts`).
 */
export const daemonLimits: TableOf<Limits> = {
  deployments: limit('deployments', count(), 'deployments that clone and build at a time, and instances that start'),
  running: limit('running', count(), 'predictions running at a time on this host'),
  runningPerDemo: limit('running_per_demo', part, 'the part of `running` that one demo may hold, at least one; 1: all'),
  waiting: limit('waiting', count(), 'predictions waiting for one demo; more are refused'),
  waitingPerVisitor: limit('waiting_per_visitor', count(), 'of those, what one visitor may have waiting'),
  waitingPerAddress: limit(
    'waiting_per_address',
    count(),
    'of those, what visitors of one address who are not signed in may have waiting together',
  ),
  predictionSeconds: limit('prediction', duration('s'), "one prediction's run, whatever `timeout` its demo asks for"),
  cancelMs: limit('cancel', duration(), 'until an instance has to say that a canceled prediction ended'),
  retryMs: limit(
    'retry_after',
    list(duration(), { atLeast: 1 }),
    'before an instance that took nothing is tried again; the last for ever',
  ),
  liveEvents: limit(
    'live_events',
    count(),
    'events kept of a running prediction, for who follows it later; older ones are folded',
  ),
  liveBytes: limit('live', size, 'the same, in bytes'),
  outputBytes: limit('output', sizeUpTo('64m'), 'text and JSON that one prediction may put out'),
  eventDays: limit('events', duration('d'), 'how long events of deployments are kept'),
  eventsKept: limit('events_kept', count(), 'events of deployments that are kept at most'),
  deploymentsKept: limit('deployments_kept', count(), 'deployments of a demo that are kept, with the end of their log'),
  sweepRows: limit('sweep_rows', count(), 'rows that a sweep removes in one go, at most'),
  fileBytes: limit('file', size, 'one file that goes in or comes out'),
  bodyBytes: limit('body', size, 'one JSON body'),
  bodyIdleMs: limit('body_idle', duration(), 'until more of a JSON body comes'),
  bodyMs: limit('body_time', duration(), 'until all of a JSON body is there'),
  bodiesBytes: limit('bodies', size, 'all JSON bodies that are being read, together; one is always taken'),
  slowReaderMs: limit(
    'slow_reader',
    duration(),
    'a reader of events that takes nothing; it is cut off, and joins again',
  ),
  callAnswerMs: limit(
    'call_answer',
    duration(),
    'the answer to one call about a prediction, of an instance or of the daemon',
  ),
  callIdleMs: limit('call_idle', duration(), 'without a byte moving, where such a call carries files or events'),
  fetchMs: limit('fetch_time', duration(), "fetching a file that a visitor's URL names"),
  fetchIdleMs: limit('fetch_idle', duration(), 'until more of such a file comes'),
  logBytes: limit('log', size, "a demo's log on disk; the oldest half goes when it is full"),
  treeBytes: limit('tree', size, 'a repository, checked out'),
  treeFiles: limit('tree_files', count(), 'files, links and folders in a repository'),
  treePathBytes: limit('tree_path', count({ to: 3000 }), 'bytes of a path in a repository'),
  gitMemoryBytes: limit('git_memory', size, 'address space of one process of git'),
  gitCpuMs: limit('git_cpu', duration(), 'processor time of one process of git'),
  memoryBytes: limit('memory', size, 'memory of an instance whose `.origami` says nothing'),
  cpus: limit('cpus', amount, 'processors of an instance whose `.origami` says nothing'),
  pids: limit('pids', count(), 'processes and threads of an instance'),
  cloneMs: limit('clone_time', duration(), 'a clone'),
  buildMs: limit('build_time', duration(), 'a build'),
  drainMs: limit('drain_time', duration(), 'what still runs in the old version when a new one took over'),
  validateMs: limit('validate_time', duration(), 'looking at a bundle that was fetched'),
  startMs: limit('start_time', duration(), 'a container or process that comes up, before its setup'),
  switchMs: limit('switch_time', duration(), 'turning to a version that is ready'),
  stopGraceMs: limit('stop_grace', duration(), 'between asking an instance to end and killing it'),
  stopMs: limit('stop_time', duration(), 'waiting for all of a demo to end when it is stopped'),
  lastLogMs: limit('last_log', duration(), 'for what an instance that exited printed last to be in the log'),
  healthChecks: limit('health_checks', count(), 'instances asked at a time whether they serve'),
  resultDays: limit('results', duration('d'), 'how long results are kept'),
  resultsPageBytes: limit('results_page', size, "one page of a visitor's results; what is beyond is on the next"),
  uploadHours: limit('uploads', duration('h'), "how long a visitor's uploads are kept"),
  resultsDemoBytes: limit('results_demo_size', size, 'results of one demo, with their files; the oldest go first'),
  resultsBytes: limit('results_size', size, 'results of all demos; the oldest go first'),
  uploadsDemoBytes: limit('uploads_demo_size', size, 'uploads for one demo; more are refused until older ones went'),
  uploadsBytes: limit('uploads_size', size, 'uploads for all demos; more are refused until older ones went'),
  startSlotMs: limit(
    'start_slot',
    duration(),
    'an instance that starts keeps its place among the `deployments` that may',
  ),
  resultMs: limit('result_time', duration(), "fetching one prediction's result files from its instance"),
  reconcileMs: limit('round', duration(), 'between two rounds of looking after demos'),
  keepAliveMs: limit(
    'keep_alive',
    duration(),
    'between two signs of the daemon to its web server, when nothing happens',
  ),
  answerMs: limit(
    'answer',
    duration(),
    'an instance\'s answer to "are you there"; one that takes longer counts as none',
  ),
  crashes: limit(
    'crashes',
    count(),
    'crashes of a version within `crash_window`; one more, and the last good version takes its place',
  ),
  crashWindowMs: limit('crash_window', duration(), 'the time in which crashes are counted'),
  reviveAfterMs: limit(
    'revive_after',
    list(duration(), { atLeast: 1 }),
    'before a version that could not be started is tried again; the last for ever',
  ),
  keepVersions: limit('keep_versions', count(), 'good versions of a demo whose images are kept'),
  interruptions: limit(
    'interruptions',
    count(),
    'times that a deployment may take the daemon down before it is given up',
  ),
  engineMs: limit('engine_answer', duration(), "Docker's answer to one call"),
  killMs: limit('kill', duration(), 'until a process that was killed is gone; one that is not is told'),
  predictionLogLength: limit(
    'prediction_log',
    count(),
    'characters of the end of what a prediction printed that are kept',
  ),
  predictionErrorLength: limit('prediction_error', count(), 'characters of the error of a prediction that are kept'),
  unreadLogBytes: limit(
    'unread_log',
    size,
    'what an instance of the process engine printed and the daemon has not read',
  ),
  logLineBytes: limit('log_line', size, 'one line of a log; the rest of it is dropped, and it says so'),
  buildCacheBytes: limit(
    'build_cache',
    sizeOrNone,
    "Docker's cache of builds, the whole host's, after a build; 0: left alone",
  ),
  imageBytes: limit('image', size, 'an image that was built, with what it stands on; a larger one is removed'),
  buildMemoryBytes: limit(
    'build_memory',
    sizeOrNone,
    "memory of all of Docker's builds together, at most three quarters of the host's; 0: builds are left alone",
  ),
  buildCpus: limit('build_cpus', amount, "processors of all builds together, at most nine tenths of the host's"),
  buildPids: limit('build_pids', count(), 'processes and threads of all builds together'),
  freeBuildBytes: limit('free_builds', size, 'free on the disk, or no deployment begins; it waits until there is room'),
  freeBuildFiles: limit('free_builds_files', count(), 'the same, in files that the file system has room for'),
  freeBuildingBytes: limit('free_building', size, 'free on the disk, or a build under way is stopped'),
  freeUploadBytes: limit('free_uploads', size, 'free on the disk, or uploads are refused'),
  freeUploadFiles: limit('free_uploads_files', count(), 'the same, in files that the file system has room for'),
  freeSpaceMs: limit('free_look', duration(), 'between two looks at what is free while something builds'),
  demoNetwork: limit(
    'demo_network',
    choice('none', 'web', 'open'),
    'the most that a demo may reach, whatever `network` in its `.origami` says',
  ),
  buildNetwork: limit(
    'build_network',
    choice('web', 'open'),
    'what builds may reach: public addresses by HTTP and HTTPS, and mirrors; open: no rule is set for them',
  ),
  mirrors: limit('mirrors', list(network), 'networks with package mirrors, which builds may reach too'),
}

/** The web server's limits. A limit that the daemon has too is the same setting. */
export const webLimits: TableOf<WebLimits> = {
  requestsPerMinute: limit('requests', count(), 'requests a minute from one address'),
  openRequestsPerAddress: limit(
    'open_requests_per_address',
    count(),
    'requests under way from one address: streams of events, waits for an answer, uploads',
  ),
  openRequests: limit('open_requests', count(), 'the same, from all addresses together'),
  connectionsPerAddress: limit(
    'connections_per_address',
    count(),
    'connections from one address that is not in `trusted_proxies`',
  ),
  connections: limit('connections', count(), 'connections from all addresses together'),
  headerMs: limit('header_time', duration(), 'until all headers of a request are there'),
  bodyBytes: daemonLimits.bodyBytes,
  fileBytes: daemonLimits.fileBytes,
  fileMs: limit('file_time', duration(), 'until all of a file that is uploaded is there'),
  bodyIdleMs: daemonLimits.bodyIdleMs,
  bodyMs: daemonLimits.bodyMs,
  bodiesBytes: daemonLimits.bodiesBytes,
  slowReaderMs: daemonLimits.slowReaderMs,
  callAnswerMs: daemonLimits.callAnswerMs,
  callIdleMs: daemonLimits.callIdleMs,
  certificateDays: limit(
    'certificates',
    duration('d'),
    'the life of a certificate; it is renewed before a third of it is left',
  ),
  certificateRoundMs: limit(
    'certificate_round',
    duration(),
    "between two looks at how much of a certificate's life is left",
  ),
  silenceMs: limit(
    'silence',
    duration(),
    'without a sign of the daemon; then it counts as away, and is connected to again',
  ),
  daemonAnswerMs: limit('daemon_answer', duration(), "the daemon's answer to something small"),
  daemonChangeMs: limit(
    'daemon_change',
    duration(),
    "the daemon's answer to a change, which may have to end what runs first",
  ),
  detailsFreshMs: limit('details_fresh', duration(), 'what the daemon said of a demo is told to all who look at it'),
  detailsKept: limit('details_kept', count(), 'demos of which that is kept'),
  runsRoundMs: limit('runs_round', duration(), 'between two times that the daemon is asked how often demos ran'),
  sweepMs: limit('sweep', duration(), 'between two sweeps of sign-ins and codes that are too old'),
  forgeAnswerMs: limit('forge_answer', duration(), 'one answer of a forge'),
  forgeAnswerBytes: limit('forge_size', size, 'the same, in bytes'),
  forgeQuestions: limit('forge_questions', count(), 'questions at a time to forges, whether repositories are bundles'),
  repositories: limit('repositories', count(), 'repositories of an account that a forge is asked for'),
  repositoriesFreshMs: limit('repositories_fresh', duration(), 'before a forge is asked for them again'),
  repositoryLists: limit('repository_lists', count(), 'such lists that are kept'),
  elsewhereRoundMs: limit('elsewhere_round', duration(), 'between two looks at the demos that run elsewhere'),
  elsewhereAnswerMs: limit(
    'elsewhere_answer',
    duration(),
    'one answer of a demo that runs elsewhere; three are asked for',
  ),
  elsewhereLookMs: limit('elsewhere_look', duration(), 'the three together, to their last byte'),
  elsewhereAnswerBytes: limit('elsewhere_size', size, 'the same, in bytes'),
  elsewhereAtOnce: limit('elsewhere_at_once', count(), 'demos that run elsewhere looked at at a time'),
  signInsPerMinute: limit(
    'sign_ins',
    count(),
    "tries a minute from one address by the owner's link, and by `origami login`",
  ),
  codeTriesPerMinute: limit(
    'code_tries',
    count(),
    'looks at codes of `origami login`, and answers, a minute from one address',
  ),
  deviceCodes: limit('device_codes', count(), 'programs that wait to be let in by `origami login`'),
  signInMs: limit('sign_in_time', duration(), 'between leaving for a forge to sign in and coming back'),
  sessionDays: limit('sessions', duration('d'), 'how long a sign-in lasts'),
  visitorsPerAddress: limit(
    'visitors',
    count(),
    'new visitors an hour from one address; who comes beyond is that address',
  ),
  addressesCounted: limit('addresses', count(), 'addresses whose new visitors are counted'),
  visitorDays: limit('visitor_cookie', duration('d'), 'how long a browser is known again as the same visitor'),
  auditDays: limit('audit', duration('d'), 'how long a row of the audit log is kept'),
  unlistedDays: limit(
    'unlisted_cookie',
    duration('d'),
    'how long a browser sees an unlisted demo after it came by its link',
  ),
}

/** Every limit once, with its default. */
export const limits: readonly (Limit<unknown> & { readonly default: unknown })[] = [
  ...new Map(
    [...rowsOf(webLimits, webDefaults), ...rowsOf(daemonLimits, daemonDefaults)].map((row) => [row.name, row]),
  ).values(),
]

/** The values of the settings (`limits.waiting`) for one of the two servers. */
export function limitsOf<All extends object>(table: TableOf<All>, values: ReadonlyMap<string, unknown>): All {
  const entries = Object.entries<Limit<unknown>>(table).map(([key, { name }]) => [key, values.get(`limits.${name}`)])
  return Object.fromEntries(entries) as All
}

function rowsOf<All extends object>(table: TableOf<All>, defaults: All) {
  return Object.entries<Limit<unknown>>(table).map(([key, row]) => ({
    ...row,
    default: defaults[key as keyof All] as unknown,
  }))
}
