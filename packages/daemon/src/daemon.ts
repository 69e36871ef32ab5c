import { statSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { makePrivateFolder } from '@origami/host/private-files'
import { serverUrl } from '@origami/host/server-url'
import { Slices, serverSliceMs } from '@origami/host/slices'
import { randomId } from '@origami/protocol/demo'
import { FolderFiles } from '@origami/serving'
import type { ApiParts } from './api/parts.ts'
import { createServer } from './api/server.ts'
import { Changes } from './changes.ts'
import { type DaemonConfig, defaultLimits, type Limits } from './config.ts'
import { DemoLifecycle } from './deploy/demo-lifecycle.ts'
import { DeploymentRunner } from './deploy/deployment-runner.ts'
import type { DeployParts } from './deploy/parts.ts'
import { StartSlots } from './deploy/start-slots.ts'
import { Tasks } from './deploy/tasks.ts'
import { BuildWatch } from './disk/build-watch.ts'
import { type Disk, FreeSpace } from './disk/free-space.ts'
import { Reserve } from './disk/reserve.ts'
import type { Engine } from './engine/engine.ts'
import { ProcessEngine } from './engine/process/process-engine.ts'
import { logged } from './logged.ts'
import { DemoLogs } from './logs/demo-log.ts'
import { LogPumps } from './logs/log-pumps.ts'
import { Dispatcher } from './predictions/dispatcher.ts'
import { Instances } from './predictions/instance/instances.ts'
import { KnownDemos } from './predictions/known-demos.ts'
import { LiveRuns } from './predictions/live-runs.ts'
import { OpenPredictions } from './predictions/open-predictions.ts'
import type { LookAt } from './predictions/parts.ts'
import { Places } from './predictions/places.ts'
import { Queue } from './predictions/queue.ts'
import { forgetRunsOf, sweepOld } from './predictions/retention.ts'
import { RunTimes } from './predictions/run-times.ts'
import { Turns } from './predictions/turns/turns.ts'
import { UploadCounts } from './predictions/upload-counts.ts'
import { GitSource } from './source/git.ts'
import type { Source } from './source/source.ts'
import { lockFolder } from './state/lock.ts'
import { openVault } from './state/vault.ts'
import { failBroken } from './store/broken-deployments.ts'
import { Commits } from './store/commits.ts'
import { type Db, openStore } from './store/open.ts'
import { repairEnded } from './store/predictions.ts'
import { requeueInterrupted } from './upkeep/interrupted.ts'
import { repeat } from './upkeep/repeat.ts'
import { stopInstances } from './upkeep/stop-instances.ts'
import { Upkeep } from './upkeep/upkeep.ts'

/** The parts of a daemon that tests may replace. */
export interface Parts {
  readonly engine: Engine
  readonly source: Source
  /** Milliseconds since 1970. */
  readonly clock: () => number
}

export interface Daemon extends AsyncDisposable {
  /** `https://127.0.0.1:6001` */
  readonly url: string
  readonly port: number
  /** Opens a link for a web server in the same process, over which predictions go without TLS. */
  link(): Duplex
  /** Puts limits in force while the daemon runs. Loops that wait read them before their next wait. */
  configure(limits: Partial<Limits>): void
  /** Stops the work and every instance, which the next daemon starts again. Dispose afterwards. */
  stopInstances(): Promise<void>
}

/**
 * Opens a state folder, brings store and engine into agreement, and listens. Disposing leaves demos running. Throws
 * Error when the folder belongs to another daemon, when others can read a key, or when the engine does not answer.
 */
export async function startDaemon(config: DaemonConfig, overrides: Partial<Parts> = {}): Promise<Daemon> {
  await using opened = new AsyncDisposableStack()
  const limits = { ...defaultLimits, ...config.limits }
  const leaving = new AbortController()
  const folder = await openFolder(config, limits, overrides, { opened, leaving: leaving.signal })
  const { db, commits, engine, logs, space, reserve, uploads } = folder
  const clock = overrides.clock ?? Date.now
  const now = () => new Date(clock()).toISOString()
  const changed = new Changes()
  const pumps = new LogPumps(db, engine, logs, limits, leaving.signal)
  const deployParts: DeployParts = {
    ...folder,
    pumps,
    tasks: new Tasks(leaving.signal),
    slots: new StartSlots(limits),
    forges: config.forges,
    limits,
    now,
    clock,
    lookAfter: () => void upkeep.rounds.run(),
    changed,
  }
  await failBroken(db, now())
  await requeueInterrupted(deployParts)
  await repairEnded(db)
  const runner = new DeploymentRunner(deployParts)
  const upkeep = new Upkeep(deployParts, runner, leaving.signal)
  const loops: Promise<void>[] = []
  const rest = async () => {
    await runner.shutDown()
    leaving.abort()
    await Promise.all([...loops, upkeep.rounds.settled(), deployParts.tasks.settled(), pumps.ended()])
  }
  opened.defer(rest)
  await upkeep.rounds.run()

  const files = filesIn(config.data, limits)
  const retention = { db, files, limits, uploads, slices: slicesOf(limits) }
  const queueParts = { db, commits, files, limits, now, changed, space, uploads, ...queueState(db, changed, limits) }
  const queue = new Queue(queueParts)
  const instances = opened.use(new Instances(limits))
  const lookAt: LookAt = (deployment, fault) => void upkeep.checks.lookAt(deployment, fault)
  const dispatcher = new Dispatcher({ ...queueParts, ...callsTo(instances), lookAt, engine }, leaving.signal)
  loops.push(
    dispatcher.work(),
    upkeep.work(() => sweepOld(retention, clock(), leaving.signal)),
    holdReserve(space, reserve, limits, leaving.signal),
  )
  const lifecycle = new DemoLifecycle(deployParts, runner, (demo) => forgetRunsOf(retention, demo))

  const { port, link } = await listen(
    config,
    { db, commits, lifecycle, queue, files, logs, changed, limits, now, engine },
    opened,
  )
  const resources = opened.move()

  return {
    url: serverUrl('https', config.host, port),
    port,
    link,
    configure: (changes) => void Object.assign(limits, changes),
    async stopInstances() {
      await rest()
      await stopInstances(deployParts)
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

const slicesOf = (limits: Limits): Slices => new Slices({ most: () => limits.sweepRows, sliceMs: serverSliceMs })

const callsTo = (instances: Instances) => ({
  reach: (endpoint: string) => instances.at(endpoint),
  ahead: (endpoint: string) => instances.ahead(endpoint),
})

/** The stack closes what listens. */
async function listen(config: DaemonConfig, parts: ApiParts, opened: AsyncDisposableStack) {
  const { app, link } = await createServer(config, parts)
  opened.defer(() => app.close())
  await app.listen({ host: config.host, port: config.port })
  return { port: (app.server.address() as AddressInfo).port, link }
}

/** What the queue has in memory beside the store: what is open and what runs. */
function queueState(db: Db, changed: Changes, limits: Limits) {
  const [demos, open, times] = [new KnownDemos(db, changed), new OpenPredictions(db, changed), new RunTimes(db)]
  const turns = new Turns(open, limits)
  return {
    demos,
    open,
    live: new LiveRuns(limits),
    places: new Places({ demos, open, times, turns }),
    times,
    turns,
  }
}

/** Locks the state folder and opens its contents, the engine and the source. The stack closes them. */
async function openFolder(
  config: DaemonConfig,
  limits: Limits,
  overrides: Partial<Parts>,
  { opened, leaving }: { opened: AsyncDisposableStack; leaving: AbortSignal },
) {
  await makePrivateFolder(config.data)
  opened.use(await lockFolder(config.data))
  const owner = await ownerOf(config.data)
  const engine = overrides.engine ?? (await makeEngine(config, owner, limits))
  if (!overrides.engine) opened.use(engine)
  const patience = AbortSignal.timeout(limits.engineMs)
  await engine.ready(patience)
  const space = new FreeSpace({ disks: disksOf(config.data, await engine.imageStore(patience)), limits })
  const reserve = new Reserve(join(config.data, 'reserve'))
  const work = join(config.data, 'work')
  await mkdir(work, { recursive: true })
  const source = overrides.source ?? new GitSource({ work, owner, environment: config.environment })
  const db = await openStore(config.data)
  opened.defer(() => db.destroy())
  const logs = await DemoLogs.open(join(config.data, 'logs'), limits)
  const vault = await openVault(config.data)
  const commits = new Commits(db, { leaving, onFull: () => reserve.giveUp() })
  const builds = new BuildWatch(space, limits)
  const uploads = await UploadCounts.open(db, limits)
  return { engine, source, db, commits, work, logs, vault, space, builds, reserve, uploads }
}

/** The disks that fill, each once where it can be told. */
function disksOf(state: string, images: string | undefined): Disk[] {
  const disks = [{ name: "This server's disk", path: state, forImages: false }]
  if (images !== undefined && statSync(images).dev !== statSync(state).dev)
    disks.push({ name: "This server's disk for images", path: images, forImages: true })
  return disks
}

/** Keeps the reserve of the disk whole while there is room. */
async function holdReserve(space: FreeSpace, reserve: Reserve, limits: Limits, signal: AbortSignal): Promise<void> {
  const hold = async () => {
    if ((await space.lackFor('upload')) === undefined) await reserve.fill()
  }
  await logged('space for the ends of predictions could not be reserved', hold)
  await repeat('space for the ends of predictions could not be reserved', () => limits.reconcileMs, hold, signal)
}

const filesIn = (data: string, limits: Limits): FolderFiles =>
  new FolderFiles(join(data, 'files'), { maxFileBytes: () => limits.fileBytes, sharesContents: true })

/** The engine that the operator chose, for this state folder. Docker's client is loaded only where it is used. */
async function makeEngine(config: DaemonConfig, owner: string, limits: Limits): Promise<Engine> {
  const { engine, data, environment, requiresFirewall = false, runtime } = config
  const folder = join(data, 'engine')
  if (engine === 'process') return new ProcessEngine({ folder, owner, environment, limits })
  const { DockerEngine } = await import('./engine/docker/docker-engine.ts')
  return new DockerEngine({ owner, folder, limits, requiresFirewall, runtime })
}

/** Reads the random id of a state folder, or makes it. What carries another id belongs to another daemon. */
async function ownerOf(data: string): Promise<string> {
  const path = join(data, 'owner')
  await writeFile(path, randomId(), { flag: 'wx', mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  return readFile(path, 'utf8')
}
