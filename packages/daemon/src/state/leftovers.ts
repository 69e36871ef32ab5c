import { setTimeout } from 'node:timers/promises'
import { kill, processesWith } from '@origami/host/process-groups'
import { isAlive, type ProcessIdentity, startTime } from '@origami/host/process-identity'

/**
 * The variable in the environment of everything that a build or a clone starts. It names the state folder, the daemon
 * and the purpose.
 */
const variable = 'ORIGAMI_BUILD'

/**
 * The mark of a program that this daemon starts. `owner`: the random id of the state folder. `what`: a deployment, or
 * an id of its own.
 */
export function markOf(owner: string, what: string): string {
  return `${owner}/${process.pid}.${startTime(process.pid)}/${what}`
}

export const markedEnvironment = (mark: string): Record<string, string> => ({ [variable]: mark })

/**
 * Kills all processes with this mark, in whatever process group they are. `since`: the start time of the first of them,
 * unless it is not known.
 */
export async function endMarked(mark: string, since?: string): Promise<void> {
  // What one of them started while they were looked for is found by the second look.
  for (const _look of ['first', 'second']) {
    const found = await marked((one) => one === mark, since)
    if (found.length === 0) return
    for (const one of found) kill(one)
  }
}

/**
 * Ends what builds and clones of earlier daemons of this state folder left running, because it would write into folders
 * that are now ours. Throws Error when a killed process does not end within `patienceMs`.
 */
export async function endLeftovers(owner: string, patienceMs: number): Promise<void> {
  if (owner === '') throw new Error('expected the id of a state folder, got none')
  const patience = AbortSignal.timeout(patienceMs)
  for (;;) {
    const found = await marked((mark) => mark.startsWith(`${owner}/`) && !isAlive(daemonOf(mark)))
    if (found.length === 0) return
    if (patience.aborted) {
      const ids = found.map(({ pid }) => pid).join(', ')
      throw new Error(
        `processes ${ids} of an earlier daemon's build do not end although they were killed; a restart of the host ends them`,
      )
    }
    for (const one of found) kill(one)
    await setTimeout(20)
  }
}

const marked = (test: (mark: string) => boolean, since?: string): Promise<ProcessIdentity[]> =>
  processesWith('environ', (entry) => entry.startsWith(`${variable}=`) && test(entry.slice(variable.length + 1)), since)

function daemonOf(mark: string): ProcessIdentity {
  const [pid = '', started = ''] = (mark.split('/')[1] ?? '').split('.')
  return { pid: Number(pid), started }
}
