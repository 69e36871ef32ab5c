import { access, mkdir, readFile, writeFile } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Limits } from '../../config.ts'
import type { StepLimit } from './build-steps.ts'

/** What builds may use, all of them together. */
export type BuildLimits = Pick<Limits, 'buildMemoryBytes' | 'buildCpus' | 'buildPids'>

/** Whether builds are kept within one of their limits. */
export interface BuildLimit {
  readonly what: 'memory' | 'processes' | 'CPU'
  /** The limit as the kernel has it. Undefined: it is not in force. */
  readonly limit: string | undefined
  /** Why it is not in force, and what would change that. */
  readonly why?: string
  /** The same for one step of a build: half of it, where one step could use up what the others need. */
  readonly step?: StepLimit
}

/** Where Docker's BuildKit puts what a build runs, below the root of a hierarchy of cgroups. */
const parent = 'docker/buildkit'
/** The time slice that a share of the CPU is counted in. */
const periodMicroseconds = 100_000

/**
 * Writes the limits into the cgroup that Docker gives all builds together, and tells what is in force then. Docker
 * 20.10 takes no limits for one build (docs/decisions/builds.md). Never rejects.
 */
export async function limitBuilds(
  limits: BuildLimits,
  { isLocal, cgroupDriver }: { readonly isLocal: boolean; readonly cgroupDriver: unknown },
  root = '/sys/fs/cgroup',
): Promise<readonly BuildLimit[]> {
  const unlimited = (why: string) => all.map((what): BuildLimit => ({ what, limit: undefined, why }))
  if (!isLocal) return unlimited('Docker runs on another host')
  if (cgroupDriver !== 'cgroupfs')
    return unlimited(`Docker keeps its cgroups by ${cgroupDriver}; set "exec-opts": ["native.cgroupdriver=cgroupfs"]`)
  const isUnified = await access(join(root, 'cgroup.controllers')).then(
    () => true,
    // In the older layout each controller has a hierarchy of its own.
    () => false,
  )
  const files = isUnified ? unifiedFiles(limits) : filesByController(limits)
  return Promise.all(
    all.map(async (what): Promise<BuildLimit> => {
      const { folder, writes, decides, step } = files[what]
      const at = join(root, folder)
      try {
        await mkdir(at, { recursive: true })
        for (const [name, value] of writes) await writeOne(join(at, name), value, name !== decides)
        const limit = (await readFile(join(at, decides), 'utf8')).trim()
        return { what, limit, ...(step === undefined ? {} : { step: { folder: at, file: decides, value: step } }) }
      } catch (error) {
        return { what, limit: undefined, why: `${join(at, decides)} cannot be written: ${messageOf(error)}` }
      }
    }),
  )
}

const all = ['memory', 'processes', 'CPU'] as const

interface Files {
  readonly folder: string
  /** Name and content, in the order in which the kernel takes them. */
  readonly writes: readonly (readonly [name: string, content: string])[]
  /** The file without which the limit does not hold. */
  readonly decides: string
  /** What stands there for one step. */
  readonly step?: string
}

function filesByController(limits: BuildLimits): Record<BuildLimit['what'], Files> {
  const bytes = bytesOf(limits)
  return {
    memory: {
      folder: join('memory', parent),
      // The limit with swap is never below the one without, whichever of them grows.
      writes: [
        ['memory.memsw.limit_in_bytes', bytes],
        ['memory.limit_in_bytes', bytes],
        ['memory.memsw.limit_in_bytes', bytes],
      ],
      decides: 'memory.limit_in_bytes',
      step: halfOf(bytesOf(limits)),
    },
    processes: {
      folder: join('pids', parent),
      writes: [['pids.max', String(limits.buildPids)]],
      decides: 'pids.max',
      step: halfOf(String(limits.buildPids)),
    },
    CPU: {
      folder: join('cpu', parent),
      writes: [
        ['cpu.cfs_period_us', String(periodMicroseconds)],
        ['cpu.cfs_quota_us', quotaOf(limits)],
      ],
      decides: 'cpu.cfs_quota_us',
    },
  }
}

function unifiedFiles(limits: BuildLimits): Record<BuildLimit['what'], Files> {
  const folder = parent
  return {
    memory: {
      folder,
      writes: [
        ['memory.max', bytesOf(limits)],
        ['memory.swap.max', '0'],
      ],
      decides: 'memory.max',
      step: halfOf(bytesOf(limits)),
    },
    processes: {
      folder,
      writes: [['pids.max', String(limits.buildPids)]],
      decides: 'pids.max',
      step: halfOf(String(limits.buildPids)),
    },
    CPU: { folder, writes: [['cpu.max', `${quotaOf(limits)} ${periodMicroseconds}`]], decides: 'cpu.max' },
  }
}

/** A quarter of the host's memory stays for others, however much builds may have. */
const bytesOf = ({ buildMemoryBytes }: BuildLimits): string =>
  String(Math.floor(Math.min(buildMemoryBytes, 0.75 * totalmem())))

/** A tenth of the host's CPU stays for others, however much builds may have. */
const quotaOf = ({ buildCpus }: BuildLimits): string =>
  String(Math.round(Math.min(buildCpus, 0.9 * availableParallelism()) * periodMicroseconds))

/** `isExtra`: the kernel may lack the file, and the limit holds without it. */
async function writeOne(path: string, content: string, isExtra: boolean): Promise<void> {
  try {
    // The kernel makes these files; a flag that makes one would be refused with words that mislead.
    await writeFile(path, content, { flag: 'r+' })
  } catch (error) {
    if (!isExtra) throw error
  }
}

const halfOf = (amount: string): string => String(Math.ceil(Number(amount) / 2))

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
