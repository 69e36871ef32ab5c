import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { family, kill, processesWith, signalGroup, untilGone } from '@origami/host/process-groups'
import { isAlive, type ProcessIdentity, startTime } from '@origami/host/process-identity'
import { afterEach, describe, expect, test, vi } from 'vitest'

const leaders: ChildProcess[] = []
afterEach(async () => {
  for (const leader of leaders.splice(0)) {
    const exited = leader.exitCode ?? leader.signalCode ?? once(leader, 'exit')
    try {
      if (leader.pid) process.kill(-leader.pid, 'SIGKILL')
    } catch {
      // The test has ended it already.
    }
    await exited
  }
})

const identityOf = (pid: number | undefined): ProcessIdentity => ({ pid: pid ?? 0, started: startTime(pid ?? 0) ?? '' })

/** A shell that leads a group, with what it printed first. */
async function lead(
  script: string,
  env: Record<string, string> = {},
): Promise<{ leader: ProcessIdentity; said: string }> {
  const child = spawn('/bin/sh', ['-c', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...env },
  })
  leaders.push(child)
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  return { leader: identityOf(child.pid), said: String(said).trim() }
}

describe('a process that was given the id of another', () => {
  test.each(['1', '', 'unknown'])('is not signalled in its place (started %j)', async (started) => {
    const { leader } = await lead('echo up; exec sleep 60')
    const former = { ...leader, started }
    expect(isAlive(former)).toBe(false)
    expect(signalGroup(former, 'SIGKILL')).toBe(false)
    kill(former)
    expect(await family(former)).toEqual([])
    expect(await untilGone([former], 60_000)).toEqual([])
    expect(isAlive(leader)).toBe(true)
  })

  test('of everybody is nobody', () => {
    for (const pid of [0, 1, -1]) expect(signalGroup({ pid, started: startTime(pid) ?? '' }, 'SIGCONT')).toBe(false)
  })
})

describe('a group', () => {
  test('is signalled as a whole, and is gone when all of it ended', async () => {
    const { leader, said } = await lead('sleep 60 & echo $!; wait')
    const child = identityOf(Number(said))
    expect(signalGroup(leader, 'SIGTERM')).toBe(true)
    expect(await untilGone([leader, child], 60_000)).toEqual([])
    expect(signalGroup(leader, 'SIGTERM')).toBe(false)
  })

  test('that goes on is what is left when patience ends', async () => {
    const { leader } = await lead('echo up; exec sleep 60')
    expect(await untilGone([leader, { pid: leader.pid, started: '1' }], 0)).toEqual([leader])
  })
})

describe('a family', () => {
  test('is all that descends from a process, also what leads a group of its own; brothers are none of it', async () => {
    const { leader, said } = await lead('setsid sh -c "sleep 60 & echo \\$\\$ \\$!; wait" & sleep 0; wait')
    const brother = await lead('echo up; exec sleep 60')
    const pids = (await family(leader)).map(({ pid }) => pid)
    const [session, sleeper] = said.split(' ').map(Number)
    expect(pids).toEqual(expect.arrayContaining([leader.pid, session, sleeper]))
    expect(pids).not.toContain(brother.leader.pid)
    expect(pids).not.toContain(process.pid)
    for (const one of await family(leader)) kill(one)
    expect(await untilGone([leader, identityOf(session), identityOf(sleeper)], 60_000)).toEqual([])
  })

  test('has the ids of now, by which each of it is known', async () => {
    const { leader } = await lead('echo up; exec sleep 60')
    expect(await family(leader)).toEqual([leader])
  })
})

describe('processes are found', () => {
  test('by a variable, or by a word of their command, whole', async () => {
    const mark = `origami-test-${process.pid}`
    const { leader } = await lead(`echo up; exec sleep 61`, { MARK: mark })
    expect(await processesWith('environ', (entry) => entry === `MARK=${mark}`)).toEqual([leader])
    expect(await processesWith('environ', (entry) => entry === mark)).toEqual([])
    const bySleep = await processesWith('cmdline', (entry) => entry === '61')
    expect(bySleep).toContainEqual(leader)
  })

  test('unless they started before the time that is given', async () => {
    const mark = `origami-test-since-${process.pid}`
    const { leader } = await lead(`echo up; exec sleep 62`, { MARK: mark })
    const since = (time: number) => processesWith('environ', (entry) => entry === `MARK=${mark}`, String(time))
    expect(await since(Number(leader.started))).toEqual([leader])
    expect(await since(Number(leader.started) + 1)).toEqual([])
  })

  test('but never ourselves', async () => {
    expect((await processesWith('cmdline', () => true)).map(({ pid }) => pid)).not.toContain(process.pid)
  })
})

describe('when a process started', () => {
  test('stays the same while it lives, whatever its name', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'origami-name-'))
    await copyFile('/bin/sleep', join(folder, 'x) Z 1 ('))
    const { leader } = await lead('echo up; exec "$NAMED" 60', { NAMED: join(folder, 'x) Z 1 (') })
    const name = () => readFile(`/proc/${leader.pid}/comm`, 'utf8')
    await vi.waitFor(async () => expect(await name()).toBe('x) Z 1 (\n'))
    expect(startTime(leader.pid)).toBe(leader.started)
    expect(leader.started).toMatch(/^\d+$/)
    await rm(folder, { recursive: true })
  })

  test('is not told of one that ended, though nobody asked for its end yet', async () => {
    // A shell that became sleep never asks for the end of its child.
    const { leader, said } = await lead('(exit 0) & echo $!; exec sleep 60')
    expect(await untilGone([identityOf(Number(said))].filter(isAlive), 60_000)).toEqual([])
    expect(startTime(Number(said))).toBeUndefined()
    expect(isAlive(leader)).toBe(true)
  })
})
