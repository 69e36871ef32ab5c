import { readFileSync } from 'node:fs'

/** Identifies a process, so that it is not confused with a later one of the same id. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it started, in ticks of the kernel's clock. */
  readonly started: string
}

export const isAlive = ({ pid, started }: ProcessIdentity): boolean => started !== '' && startTime(pid) === started

/**
 * When a process started, in ticks of the kernel's clock. It tells a process from a later one with the same id.
 * Undefined: it is gone.
 */
export function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' ? undefined : fields[18]
  } catch {
    // Without /proc a process that is alive has no known start time.
    return process.platform === 'linux' || !alive(pid) ? undefined : 'unknown'
  }
}

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    // It is gone, or it belongs to another account.
    return false
  }
}
