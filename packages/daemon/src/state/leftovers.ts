import { setTimeout } from 'node:timers/promises'
import { kill, processesWith } from '@origami/host/process-groups'
import { isAlive, type ProcessIdentity, startTime } from '@origami/host/process-identity'

/**
 * In the environment of all that a build or a clone starts, and of what that starts: whose state folder, which daemon,
 * for what.
 */
const variable = 'ORIGAMI_BUILD'

/**
 * The environment that marks a program of this daemon's. `owner`: the random id of the state folder. `what`: a
 * deployment, or an id of its own.
 */
export function markOf(owner: string, what: string): string {
  return `${owner}/${process.pid}.${startTime(process.pid)}/${what}`
}

export const markedEnvironment = (mark: string): Record<string, string> => ({ [variable]: mark })

/** Kills what has this mark, in whatever process group it is. */
export async function endMarked(mark: string): Promise<void> {
  for (const one of await marked((found) => found === mark)) kill(one)
}

/**
 * Ends what daemons that are gone left running of this state folder's builds and clones: it would write on in folders
 * that are ours now. Throws Error when something does not end within `patienceMs` although it was killed.
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

const marked = (test: (mark: string) => boolean): Promise<ProcessIdentity[]> =>
  processesWith('environ', (entry) => entry.startsWith(`${variable}=`) && test(entry.slice(variable.length + 1)))

function daemonOf(mark: string): ProcessIdentity {
  const [pid = '', started = ''] = (mark.split('/')[1] ?? '').split('.')
  return { pid: Number(pid), started }
}
