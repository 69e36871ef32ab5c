import { family, kill, processesWith, signalGroup, untilGone } from '@origami/host/process-groups'
import { isAlive, type ProcessIdentity } from '@origami/host/process-identity'
import type { InstanceId } from '../engine.ts'
import { type InstanceRecord, shimOf } from './records.ts'

/**
 * The variable that holds the nonce in the environment of an instance and its children. They are found by it when their
 * shim is gone.
 */
export const instanceVariable = 'ORIGAMI_INSTANCE'

/**
 * Asks all processes of an instance to end, and kills those that are left after the grace. False: there were none.
 * Throws Error when a killed process does not end within `killMs`.
 */
export async function endInstanceProcesses(
  id: InstanceId,
  about: InstanceRecord,
  graceMs: number,
  killMs: number,
): Promise<boolean> {
  const shim = shimOf(about)
  if (!shim) return false
  if (!isAlive(shim)) return endStrays(id, about, killMs)
  const before = await family(shim)
  signalGroup(shim, 'SIGTERM')
  await untilGone([shim], graceMs)
  const members = [...new Map([...before, ...(await family(shim))].map((one) => [one.pid, one])).values()]
  await end(id, members, killMs)
  await endStrays(id, about, killMs)
  return true
}

/**
 * Kills all processes with the instance's mark, whatever their parent is by now. False: there were none. Throws Error
 * when a killed process does not end within `killMs`.
 */
export async function endStrays(id: InstanceId, { nonce }: InstanceRecord, killMs: number): Promise<boolean> {
  const patience = AbortSignal.timeout(killMs)
  for (let found = false; ; found = true) {
    const strays = await processesWith('environ', (entry) => entry === `${instanceVariable}=${nonce}`)
    if (strays.length === 0) return found
    if (patience.aborted)
      throw new Error(`instance ${id} starts processes faster than they are killed; a restart of the host ends them`)
    await end(id, strays, killMs)
  }
}

/** Kills the shims with this nonce in their arguments, and everything that they started. */
export async function endShims(nonce: string, killMs: number): Promise<void> {
  for (const shim of await processesWith('cmdline', (entry) => entry === nonce)) {
    const members = await family(shim)
    for (const one of members) kill(one)
    await untilGone(members, killMs)
  }
}

async function end(id: InstanceId, members: readonly ProcessIdentity[], killMs: number): Promise<void> {
  for (const one of members) kill(one)
  const left = await untilGone(members, killMs)
  if (left.length === 0) return
  const ids = left.map(({ pid }) => pid).join(', ')
  throw new Error(
    `processes ${ids} of instance ${id} do not end although they were killed; a restart of the host ends them`,
  )
}
