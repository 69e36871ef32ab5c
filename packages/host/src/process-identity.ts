import { readFileSync } from 'node:fs'

/** One process, and no later one that was given its id. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it started, in the kernel's ticks. */
  readonly started: string
}

export const isAlive = ({ pid, started }: ProcessIdentity): boolean => started !== '' && startTime(pid) === started

/** Tells a process from a later one with the same id: when it started, in the kernel's ticks. Undefined: it is gone. */
export function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' ? undefined : fields[18]
  } catch {
    return process.platform === 'linux' || !alive(pid) ? undefined : 'unknown'
  }
}

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
