import { readFileSync } from 'node:fs'

/** Identifies a process, so that it is not confused with a later one of the same id. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it started, in ticks of the kernel's clock. */
  readonly started: string
}

/** Throws Error when that cannot be told now, because no more files may be opened for example. */
export const isAlive = ({ pid, started }: ProcessIdentity): boolean => started !== '' && startTime(pid) === started

/**
 * When a process started, in ticks of the kernel's clock. It tells a process from a later one with the same id.
 * Undefined: it is gone. Throws Error when that cannot be told now, because no more files may be opened for example.
 */
export function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' ? undefined : fields[18]
  } catch (error) {
    if (!isGone(error)) throw error
    // Without /proc a process that is alive has no known start time.
    return process.platform === 'linux' || !hasProcess(pid) ? undefined : 'unknown'
  }
}

/** Whether an error of a read in `/proc` says that the process ended. */
export const isGone = (error: unknown): boolean => ['ENOENT', 'ESRCH'].includes(codeOf(error))

/** Whether an error of a read in `/proc` says that the process belongs to another account. */
export const isForeign = (error: unknown): boolean => ['EACCES', 'EPERM'].includes(codeOf(error))

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? ''

function hasProcess(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return isForeign(error)
  }
}
