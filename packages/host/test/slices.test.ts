import { describe, expect, test } from 'vitest'
import { Slices } from '../src/slices.ts'

/** Work on `rows` rows, each of which takes `rowMs` of a clock that only the work moves. */
function work() {
  let now = 0
  const sizes: number[] = []
  return {
    clock: () => now,
    /** How many each slice was told to do at most, since it was asked last. */
    taken: () => sizes.splice(0),
    on: (rows: number, rowMs: number) => (most: number) => {
      sizes.push(most)
      const done = Math.min(most, rows)
      rows -= done
      now += done * rowMs
      return done
    },
  }
}

describe('work in slices', () => {
  test('begins with one, doubles while slices take well under their time, and stays where they take a part of it', async () => {
    const { clock, taken, on } = work()
    await new Slices({ clock }).run('rows', undefined, on(200, 0.1))
    expect(taken()).toEqual([1, 2, 4, 8, 16, 32, 32, 32, 32, 32, 32])
  })

  test('remembers across runs how many fit, for each kind of work by itself', async () => {
    const { clock, taken, on } = work()
    const slices = new Slices({ clock })
    await slices.run('rows', undefined, on(100, 0.1))
    taken()
    await slices.run('rows', undefined, on(40, 0.1))
    expect(taken()).toEqual([32, 32])
    await slices.run('files', undefined, on(2, 0.1))
    expect(taken()).toEqual([1, 2])
  })

  test('shrinks to what fits half of the time once a slice takes more, down to one', async () => {
    const { clock, taken, on } = work()
    const slices = new Slices({ clock })
    await slices.run('rows', undefined, on(100, 0.1))
    taken()
    await slices.run('rows', undefined, on(40, 1))
    expect(taken()).toEqual([32, 5, 5])
    await slices.run('rows', undefined, on(8, 30))
    expect(taken()).toEqual([5, 1, 1, 1, 1])
  })

  test('a last slice that is not full tells nothing of how many more would fit', async () => {
    const { clock, taken, on } = work()
    const slices = new Slices({ clock })
    for (let run = 0; run < 3; run += 1) await slices.run('rows', undefined, on(0, 0.1))
    expect(taken()).toEqual([1, 1, 1])
  })

  test('never does more at once than the setting says, which is read anew', async () => {
    const { clock, taken, on } = work()
    let most = 4
    const slices = new Slices({ clock, most: () => most })
    await slices.run('rows', undefined, on(20, 0))
    expect(taken()).toEqual([1, 2, 4, 4, 4, 4, 4])
    most = 2
    await slices.run('rows', undefined, on(3, 0))
    expect(taken()).toEqual([2, 2])
  })

  test('others have their turn between two slices', async () => {
    let turns = 0
    let isOver = false
    const seen: number[] = []
    const count = () => {
      turns += 1
      if (!isOver) setImmediate(count)
    }
    setImmediate(count)
    await new Slices({ clock: () => 0, most: () => 1 }).run('rows', undefined, () => (seen.push(turns) < 5 ? 1 : 0))
    isOver = true
    expect(new Set(seen).size).toBe(5)
  })

  test('an aborted signal ends it between two, and what the work throws reaches who asked', async () => {
    const leaving = new AbortController()
    let slices = 0
    await new Slices().run('rows', leaving.signal, (most) => {
      slices += 1
      if (slices === 3) leaving.abort()
      return most
    })
    expect(slices).toBe(3)
    const failing = new Slices().run('rows', undefined, () => Promise.reject(new Error('the disk is full')))
    await expect(failing).rejects.toThrow('the disk is full')
  })
})
