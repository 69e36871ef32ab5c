import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Statements, scansOf } from '../statements.ts'
import { DaemonYard } from './yard.ts'

let statements: Statements
let yard: DaemonYard
beforeAll(() => {
  statements = new Statements()
})
afterAll(async () => {
  statements[Symbol.dispose]()
  await yard[Symbol.asyncDispose]()
})

test('no statement of a daemon reads its predictions, deployments or events from the first to the last', async () => {
  yard = await DaemonYard.open({ deploymentsKept: 1, eventsKept: 5, resultDays: 1, sweepRows: 2 })
  // A migration reads whole tables, once. What else a daemon does at its start is seen when it starts again.
  statements.all.clear()
  await everythingADaemonDoes()
  await yard.leave()
  expect(statements.all.size).toBeGreaterThan(40)
  expect(scansOf(join(yard.folder, 'daemon/daemon.db'), statements.all, ['demos'])).toEqual([])
})

test('a statement that does is found out', async () => {
  const path = join(yard.folder, 'copy.db')
  await copyFile(join(yard.folder, 'daemon/daemon.db'), path)
  expect(scansOf(path, ['select "id" from "predictions" where "input" like ?'], [])).toEqual([
    expect.stringMatching(/^predictions: /),
  ])
})

async function everythingADaemonDoes(): Promise<void> {
  const gate = yard.gate()
  const { demo } = await yard.deploy('indexed')
  const under = `/demos/${demo}`
  const first = await yard.submit(demo, { word: 'first', gate: gate.path })
  await vi.waitFor(async () => expect(await gate.runs()).toEqual(['first']))
  const [second, third] = [await yard.submit(demo, { word: 'second' }), await yard.submit(demo, { word: 'third' })]
  await yard.prediction(demo, second, ({ queue }) => queue?.position === 1)
  expect((await yard.ask('POST', `${under}/predictions/${third}/cancel`, {})).status).toBe(200)
  expect((await yard.ask('GET', `${under}/queue`)).status).toBe(200)
  expect((await yard.ask('DELETE', `${under}/queue`)).status).toBe(200)
  await yard.leave()
  await yard.start()
  await gate.open()
  await yard.prediction(demo, first)
  for (const path of ['/stats', `/stats/${demo}`, `${under}/deployments`, `/logs/${demo}`, `${under}/health-check`])
    expect((await yard.ask('GET', path)).status, path).toBe(200)
  expect((await yard.ask('GET', `${under}/results?visitor=visitor-1`)).status).toBe(200)
  expect((await yard.ask('DELETE', `${under}/results/${first}?visitor=visitor-1`)).status).toBe(200)
  const link = await yard.push('indexed', await DaemonYard.model((source) => source.replace('version 1', 'version 2')))
  const { deployment } = await yard.trigger(link)
  await yard.deployment(demo, deployment, 'running')
  yard.ahead += 31 * 86_400_000
  await vi.waitFor(async () => expect((await yard.ask('GET', `${under}/predictions/${second}`)).status).toBe(404))
  for (const action of ['stop', 'start', 'stop'])
    expect((await yard.ask('POST', `${under}/${action}`, {})).status).toBe(200)
  expect((await yard.ask('DELETE', under)).status).toBe(200)
}
