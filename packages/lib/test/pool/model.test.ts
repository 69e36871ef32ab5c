import { describe, expect, test } from 'vitest'
import { Model } from '../../src/runtime/pool/model.ts'
import { schema } from './runs.ts'

const serves = { ready: 1, size: 1, hasRoom: true, ahead: 0 }
const succeeded = { status: 'succeeded', logs: 'loaded\n', slots: 1 } as const
const failed = { status: 'failed', error: 'no weights', logs: 'no weights\n' } as const

describe('the health of a model', () => {
  test('is STARTING until its setup went one way or the other, and while no worker serves', () => {
    const model = new Model()
    expect(model.health(serves)).toMatchObject({
      status: 'STARTING',
      setup: { status: 'starting', completed_at: null },
    })
    expect(model.setUp(succeeded)).toBe(true)
    expect(model.health(serves)).toMatchObject({ status: 'READY', setup: { status: 'succeeded', logs: 'loaded\n' } })
    expect(model.health({ ...serves, hasRoom: false, ahead: 0 }).status).toBe('BUSY')
    expect(model.health({ ready: 0, size: 2, hasRoom: false, ahead: 0 })).toMatchObject({
      status: 'STARTING',
      workers: { ready: 0, of: 2 },
    })
  })

  test('is SETUP_FAILED from a first setup that fails until one succeeds; one that fails later decides nothing', () => {
    const model = new Model()
    expect([model.setUp(failed), model.failure, model.health(serves).status]).toEqual([
      true,
      'no weights',
      'SETUP_FAILED',
    ])
    expect([model.setUp(succeeded), model.failure]).toEqual([true, undefined])
    expect([model.setUp(failed), model.health(serves).status]).toEqual([false, 'READY'])
  })

  test('begins anew when it is loaded anew, and the demo is the one before until it is described', () => {
    const model = new Model({ title: 'Before' })
    model.describe(schema)
    model.setUp(failed)
    model.reload({ title: 'After', timeout: 3 })
    expect([model.failure, model.health(serves).status, model.timeoutMs]).toEqual([undefined, 'STARTING', 3000])
    expect(model.schema?.title).toBe('Before')
    model.describe(schema)
    expect(model.schema?.title).toBe('After')
  })
})

test('what `.origami` says of a demo wins over what its model says', () => {
  const model = new Model({ description: 'Said outside', concurrency: 3 }, { folder: 'my-folder' })
  expect([model.schema, model.concurrency]).toEqual([undefined, 1])
  model.describe({ ...schema, title: undefined })
  expect(model.schema).toMatchObject({ title: 'My folder', description: 'Said outside', concurrency: 3 })
  expect(model.concurrency).toBe(3)
})
