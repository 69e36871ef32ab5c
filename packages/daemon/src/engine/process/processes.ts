import { readdirSync, readFileSync } from 'node:fs'

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
