import { describe, expect, test, vi } from 'vitest'
import type { InstanceExit } from '../../src/engine/engine.ts'
import { Rounds } from '../../src/upkeep/rounds.ts'

/** Rounds that last until the test ends them, and a promise for each that resolves when it begins. */
function heldRounds(leaving = new AbortController()) {
  const began: PromiseWithResolvers<void>[] = []
  const rounds = new Rounds(async () => {
    const round = Promise.withResolvers<void>()
    began.push(round)
    await round.promise
  }, leaving.signal)
  return { rounds, began, leaving }
}

describe('a round that is asked for', () => {
  test('begins after the one that is under way, and all who wait share it', async () => {
    const { rounds, began } = heldRounds()
    const first = rounds.run()
    await vi.waitFor(() => expect(began).toHaveLength(1))
    const [second, third] = [rounds.run(), rounds.run()]
    expect(third).toBe(second)
    began[0]?.resolve()
    await first
    await vi.waitFor(() => expect(began).toHaveLength(2))
    let isDone = false
    void second.then(() => {
      isDone = true
    })
    await Promise.resolve()
    expect(isDone).toBe(false)
    began[1]?.resolve()
    await second
    await rounds.settled()
    expect(began).toHaveLength(2)
  })

  test('is over for who asked though it failed, and the next one is run', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    let did = 0
    const rounds = new Rounds(async () => {
      did += 1
      throw new Error('the disk is full')
    }, new AbortController().signal)
    await rounds.run()
    await rounds.run()
    expect(did).toBe(2)
    expect(logged).toHaveBeenCalledTimes(2)
    logged.mockRestore()
  })

  test('is not begun any more once the daemon leaves', async () => {
    const { rounds, began, leaving } = heldRounds()
    leaving.abort()
    await rounds.run()
    expect(began).toEqual([])
  })
})

describe('exits of instances', () => {
  const exit = {} as InstanceExit

  /** Opens one stream of exits after another; the last one aborts the watch. Returns the waits between them. */
  async function watched(streams: (() => AsyncIterable<InstanceExit>)[]) {
    const leaving = new AbortController()
    const waits: number[] = []
    const wait = async (ms: number) => {
      waits.push(ms)
      return !leaving.signal.aborted
    }
    const rounds = new Rounds(async () => {}, leaving.signal, wait)
    let opened = 0
    const exits = () => {
      const stream = streams[opened]
      opened += 1
      if (opened === streams.length) leaving.abort()
      return stream?.() ?? none()
    }
    await rounds.watchExits({ exits })
    await rounds.settled()
    return { waits, opened }
  }
  async function* none(): AsyncIterable<InstanceExit> {}
  async function* broken(): AsyncIterable<InstanceExit> {
    yield* none()
    throw new Error('the stream broke off')
  }
  async function* brokenAfterOne(): AsyncIterable<InstanceExit> {
    yield exit
    throw new Error('the stream broke off')
  }

  test('are asked for again after longer and longer waits, a minute at most', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { waits, opened } = await watched(Array.from({ length: 9 }, () => broken))
    expect(waits.map((ms) => ms / 1000)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
    expect([opened, logged.mock.calls.length]).toEqual([9, 9])
    logged.mockRestore()
  })

  test('that come make the next wait short again', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { waits } = await watched([broken, broken, brokenAfterOne, broken, broken])
    expect(waits.map((ms) => ms / 1000)).toEqual([1, 2, 1, 2, 4])
    logged.mockRestore()
  })

  test('are each followed by a round, and so is a stream that is opened again, since it may have missed some', async () => {
    const leaving = new AbortController()
    let did = 0
    const didBefore: number[] = []
    const round = async () => {
      did += 1
    }
    const rounds = new Rounds(round, leaving.signal, async () => !leaving.signal.aborted)
    async function* exits() {
      await rounds.settled()
      didBefore.push(did)
      if (didBefore.length > 1) leaving.abort()
      else yield exit
      await rounds.settled()
      didBefore.push(did)
    }
    await rounds.watchExits({ exits })
    expect(didBefore).toEqual([0, 1, 2, 2])
  })
})
