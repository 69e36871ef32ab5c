import { afterEach, beforeEach, expect, test } from 'vitest'
import type { DeployParts } from '../../src/deploy/parts.ts'
import { retire } from '../../src/deploy/retire.ts'
import { noInstance } from '../../src/store/deployments.ts'
import { addedDemo, movedTo, openInMemory, rowOf } from '../store/in-memory.ts'
import { deployParts } from './deploy-parts.ts'

let db: DeployParts['db']
beforeEach(async () => {
  db = await openInMemory()
})
afterEach(() => db.destroy())

test('a version that is stopped while its image is removed keeps no image in its row', async () => {
  const { id, attempt } = await addedDemo(db)
  const draining = await movedTo(db, id, 'draining', { image: 'old' as never })
  const removed: string[] = []
  const removeImage = async (image: string) => {
    removed.push(image)
    await movedTo(db, id, 'retired', { attempt: attempt + 1, ...noInstance })
    return true
  }
  await retire(deployParts(db, { engine: { removeImage } }), draining, new AbortController().signal)
  expect(removed).toEqual(['old'])
  expect(await rowOf(db, id)).toMatchObject({ state: 'retired', image: null })
})
