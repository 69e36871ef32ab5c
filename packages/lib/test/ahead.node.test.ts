import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { newPredictionId } from '@origami/protocol/demo'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { post, serve, until } from './serve-model.ts'

const model = `
import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { demo, text } from 'origami-lib'

let running = 0

export default demo({
  title: 'Gated',
  inputs: { name: text(), gate: text({ optional: true }) },
  outputs: { said: text() },
  async predict({ name, gate }, { signal }) {
    running += 1
    console.log('by', name, 'of', running)
    do await setTimeout(0, undefined, { signal })
    while (gate && !existsSync(gate))
    running -= 1
    if (name === 'dies') process.exit(3)
    return name
  },
})
`

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-ahead-'))
  await writeFile(join(folder, 'model.ts'), model)
})
afterEach(() => rm(folder, { recursive: true }))

test('of many at once each has its own output and log, one runs at a time, and a death takes one', async () => {
  await using runtime = await serve(join(folder, 'model.ts'))
  expect((await runtime.predictor.health()).ahead).toBe(16)
  const names = Array.from({ length: 40 }, (_, index) => (index === 20 ? 'dies' : `name-${index}`))
  const answers = await Promise.all(names.map((name) => post(runtime.url, { name })))
  for (const [index, { body }] of answers.entries()) {
    const name = names[index] ?? ''
    if (name === 'dies') expect(body).toMatchObject({ status: 'failed', reason: 'crashed' })
    else expect([body.status, body.output, body.logs]).toEqual(['succeeded', name, `by ${name} of 1\n`])
  }
})

test('one that is canceled while it waits never runs, and those behind it do', async () => {
  await using runtime = await serve(join(folder, 'model.ts'))
  const gate = join(folder, 'gate')
  const submit = (name: string) =>
    runtime.predictor.submit({ id: newPredictionId(), input: { name, gate: name === 'held' ? gate : null } })
  const [held, canceled, next] = [await submit('held'), await submit('canceled'), await submit('next')]
  await until(runtime.url, held.id, 'processing')
  await canceled.cancel()
  // The worker is told in this turn of the event loop.
  await setImmediate()
  await setImmediate()
  await writeFile(gate, '')
  expect(await until(runtime.url, next.id)).toMatchObject({ status: 'succeeded', logs: 'by next of 1\n' })
  expect((await until(runtime.url, held.id)).logs).toBe('by held of 1\n')
  expect(await until(runtime.url, canceled.id)).toMatchObject({ status: 'canceled', logs: '', started_at: null })
})
