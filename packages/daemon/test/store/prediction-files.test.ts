import { type DemoId, type FileRef, fileRef } from '@origami/protocol/demo'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { wantDemo } from '../../src/store/demos.ts'
import type { Db } from '../../src/store/open.ts'
import { addFiles, filesOf, filesOfDemo, isNamed, isWanted } from '../../src/store/prediction-files.ts'
import { endPrediction } from '../../src/store/predictions.ts'
import { deletePrediction } from '../../src/store/results.ts'
import { addPredictions, StoredQueue } from '../predictions/stored-queue.ts'
import { at, demo, openInMemory } from './in-memory.ts'

let db: Db
beforeEach(async () => {
  db = await openInMemory()
  for (const id of [demo, other])
    await wantDemo(db, { id, user_id: 'ann', repolink: `https://folder.test/ann/${id}` }, at)
})
afterEach(() => db.destroy())

const other = 'e'.repeat(32) as DemoId
const file = (letter: string, name = 'a.txt') => fileRef(letter.repeat(26), name)
const idOf = (ref: FileRef) => ref.split('/')[1] ?? ''
const [a, b, c, d] = [file('a'), file('b'), file('c'), file('d')]

/** The arrival of a prediction that waits, with the files of its input. */
async function predicted(files: FileRef[] = [], of = demo): Promise<number> {
  const [added] = await addPredictions(db, [{ ...StoredQueue.prediction(of, 'ann'), files }])
  return added?.arrival ?? 0
}

describe('the files of a prediction', () => {
  test('are those of its input and its output, each once, however often it is said', async () => {
    const arrival = await predicted([a, b])
    await addFiles(db, arrival, 'output', [b, c])
    await addFiles(db, arrival, 'output', [c])
    await addFiles(db, arrival, 'output', [])
    await predicted([d])
    expect((await filesOf(db, arrival)).toSorted()).toEqual([a, b, c])
  })

  test('that are no reference are none', async () => {
    const arrival = await predicted()
    await addFiles(db, arrival, 'output', ['elsewhere/x' as FileRef])
    expect(await filesOf(db, arrival)).toEqual([])
  })

  test('are named no more once it is deleted', async () => {
    const arrival = await predicted([a])
    expect([await isNamed(db, a), await isNamed(db, b)]).toEqual([true, false])
    await deletePrediction(db, arrival)
    expect(await isNamed(db, a)).toBe(false)
  })
})

describe('the files of a demo', () => {
  test('are those that its predictions alone name, under whatever name', async () => {
    await predicted([a, b])
    await predicted([b, c])
    await predicted([file('c', 'other.txt'), d], other)
    expect(await filesOfDemo(db, demo, '', 10)).toEqual([a, b])
  })

  test('come in order after one of them, at most so many', async () => {
    await predicted([d, c, b, a])
    expect(await filesOfDemo(db, demo, a, 2)).toEqual([b, c])
  })
})

describe('a file is wanted', () => {
  test('as an input until its prediction ends', async () => {
    const arrival = await predicted([a])
    expect([await isWanted(db, idOf(a)), await isWanted(db, idOf(b))]).toEqual([true, false])
    await endPrediction(db, arrival, { status: 'succeeded', completed_at: at })
    expect(await isWanted(db, idOf(a))).toBe(false)
  })

  test('as an output for as long as its result is stored', async () => {
    const arrival = await predicted()
    await endPrediction(db, arrival, { status: 'succeeded', completed_at: at })
    await addFiles(db, arrival, 'output', [a])
    expect(await isWanted(db, idOf(a))).toBe(true)
    await deletePrediction(db, arrival)
    expect(await isWanted(db, idOf(a))).toBe(false)
  })
})
