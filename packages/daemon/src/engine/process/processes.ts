import { readdirSync, readFileSync } from 'node:fs'

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

/** Sends a signal to a process group. False: nobody is there. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(-pid, signal)
  } catch {
    return false
  }
}

/** A process and all that descends from it, in whatever group. */
export function family(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of listProcesses()) {
    const parent = parentOf(name)
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), name])
  }
  const found: number[] = []
  const visit = (one: number) => {
    found.push(one)
    for (const child of children.get(one) ?? []) visit(child)
  }
  visit(pid)
  return found
}

export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function listProcesses(): number[] {
  try {
    return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))
  } catch {
    return []
  }
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}
