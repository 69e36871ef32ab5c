import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { isAlive, isForeign, isGone, type ProcessIdentity, startTime } from './process-identity.ts'

const pollMs = 20
/** How many processes are looked at without a break. */
const atOnce = 100

/**
 * Sends a signal to a process and its group, unless its id belongs to a later process. False: it is gone. Throws as
 * `isAlive` does.
 */
export function signalGroup(leader: ProcessIdentity, signal: NodeJS.Signals): boolean {
  return isAlive(leader) && send(-leader.pid, signal)
}

/** Kills a child of this process and the group that it leads, unless its end is known already. */
export function killGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid !== undefined && exitCode === null && signalCode === null) send(-pid, 'SIGKILL')
}

/** Kills one process, unless its id belongs to a later process. Throws as `isAlive` does. */
export function kill(one: ProcessIdentity): void {
  if (isAlive(one)) send(one.pid, 'SIGKILL')
}

/** Waits until all of them are gone. Resolves to those that are left after `patienceMs`. */
export async function untilGone(processes: readonly ProcessIdentity[], patienceMs: number): Promise<ProcessIdentity[]> {
  const patience = AbortSignal.timeout(patienceMs)
  for (;;) {
    const left = processes.filter(isAlive)
    if (left.length === 0 || patience.aborted) return left
    await setTimeout(pollMs)
  }
}

/** A process and all its descendants, in whatever process groups they are. */
export async function family(root: ProcessIdentity): Promise<ProcessIdentity[]> {
  if (!isAlive(root)) return []
  const children = new Map<number, ProcessIdentity[]>()
  for (const pid of await processIds()) {
    const [parent, started] = [unlessForeign(parentOf, pid), unlessForeign(startTime, pid)]
    if (parent === undefined || started === undefined) continue
    children.set(parent, [...(children.get(parent) ?? []), { pid, started }])
  }
  const found: ProcessIdentity[] = []
  const visit = (one: ProcessIdentity) => {
    found.push(one)
    for (const child of children.get(one.pid) ?? []) visit(child)
  }
  visit(root)
  return found
}

/**
 * The processes whose `environ` or `cmdline` has an entry that satisfies `test`. Those of other accounts cannot be read
 * and are left out. `since`: a start time before which none of them started, so that fewer need to be read.
 */
export async function processesWith(
  where: 'environ' | 'cmdline',
  test: (entry: string) => boolean,
  since = '0',
): Promise<ProcessIdentity[]> {
  const found: ProcessIdentity[] = []
  for (const [index, pid] of (await processIds()).entries()) {
    // The kernel answers at once, and the event loop must not wait for a host full of processes.
    if (index % atOnce === atOnce - 1) await setImmediate()
    const started = unlessForeign(startTime, pid)
    if (pid === process.pid || started === undefined || Number(started) < Number(since)) continue
    // A process that ended or belongs to another account has nothing to read.
    const entries = await readFile(`/proc/${pid}/${where}`, 'utf8').catch((error: unknown) => {
      if (isGone(error) || isForeign(error)) return ''
      throw error
    })
    if (entries.split('\0').some(test)) found.push({ pid, started })
  }
  return found
}

/**
 * Sends a signal to one process or group. Process ids 0 and 1, and their negatives, mean all processes, so nothing is
 * ever sent to them.
 */
function send(pid: number, signal: NodeJS.Signals): boolean {
  if (Math.abs(pid) <= 1) return false
  try {
    return process.kill(pid, signal)
  } catch {
    // It is gone, or it belongs to another account.
    return false
  }
}

async function processIds(): Promise<number[]> {
  // Only Linux has /proc.
  const names = await readdir('/proc').catch((error: unknown) => {
    if (isGone(error)) return []
    throw error
  })
  return names.flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

/** Undefined: the process is gone, or belongs to another account of a host that shows nobody those of others. */
function unlessForeign<Value>(read: (pid: number) => Value | undefined, pid: number): Value | undefined {
  try {
    return read(pid)
  } catch (error) {
    if (isForeign(error)) return undefined
    throw error
  }
}
