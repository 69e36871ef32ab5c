import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { DaemonYard } from './yard.ts'

const serves = (answer: string) => `import { createServer } from 'node:http'
import { writeFileSync } from 'node:fs'
const server = createServer((request, response) => response.setHeader('content-type', 'application/json').end(${JSON.stringify(answer)}))
server.listen(0, '127.0.0.1', () => writeFileSync(process.env.ORIGAMI_PORT_FILE, String(server.address().port)))
`

describe('a deploy that fails has its state, its reason and its last lines', () => {
  let yard: DaemonYard
  beforeAll(async () => {
    yard = await DaemonYard.open()
  })
  afterAll(async () => yard[Symbol.asyncDispose]())

  test.each<[string, Record<string, string | null>, string, string]>([
    ['without .origami', { '.origami': null }, 'not_linked', '`origami bundle` writes it'],
    [
      'with an unknown key',
      { '.origami': 'titel: x\n' },
      'config_error',
      'line 1, column 1: unknown key "titel"; did you mean title?',
    ],
    ['with a value that is none', { '.origami': 'port: high\n' }, 'config_error', 'port'],
    ['that is no YAML', { '.origami': 'title: [\n' }, 'config_error', 'line 2'],
    ['without a runtime, here', { origami: null }, 'config_error', 'origami bundle'],
    ['that does not install', { 'package.json': '{' }, 'build_failed', 'npm'],
    [
      'that exits at once',
      { 'origami/server.mjs': 'console.log("no weights"); process.exitCode = 4' },
      'start_failed',
      'code 4',
    ],
    [
      'whose setup fails',
      { 'model.ts': 'throw new Error("weights are missing")\n' },
      'unhealthy',
      'weights are missing',
    ],
    [
      'that answers as something else',
      { 'origami/server.mjs': serves('{"status":"READY"}') },
      'not_a_predictor',
      'no model',
    ],
    ['that answers no JSON', { 'origami/server.mjs': serves('<html>hello') }, 'not_a_predictor', 'no model'],
    [
      'that is never ready',
      { 'origami/server.mjs': 'setInterval(() => {}, 1000)', '.origami': 'ready_within: 1\n' },
      'unhealthy',
      'ready_within',
    ],
  ])('one %s', async (_what, files, state, message) => {
    const name = `fails-${state.replaceAll('_', '-')}-${Object.keys(files).length}${message.length}`
    const { demo, deployment } = await yard.deploy(name, files)
    expect([deployment.state, deployment.reason]).toEqual([state, expect.stringContaining(message)])
    expect(deployment.log_tail.join('\n')).toContain(`deploy ${state}: `)
    expect(await yard.remains()).toEqual({ instances: 0, images: 0, checkouts: [] })
    expect(await yard.detail(demo)).toMatchObject({
      status: state === 'not_linked' ? 'not_linked' : 'failed',
      port: null,
    })
  })

  test('its own last words are among the last lines', async () => {
    const { deployment } = await yard.deploy('last-words', {
      'origami/server.mjs': 'console.log("no weights"); process.exitCode = 4',
    })
    expect(deployment.log_tail.join('\n')).toContain('demo no weights')
  })

  test('one whose repository is not there', async () => {
    const { demo, deployment } = await yard.trigger('https://folder.test/ann/nothing')
    expect(await yard.deployment(demo, deployment)).toMatchObject({
      state: 'clone_failed',
      reason: expect.stringContaining('was not found'),
    })
  })

  test('one that takes longer than a step may', async () => {
    await yard.leave()
    await yard.start({ cloneMs: 1000 })
    yard.holds.add('clone')
    const { demo, deployment } = await yard.trigger(await yard.push('slow'))
    expect(await yard.deployment(demo, deployment)).toMatchObject({
      state: 'timed_out',
      reason: 'Cloning took longer than 1 s',
    })
    yard.holds.clear()
  })
})

describe('a demo that exits after it was live', () => {
  let yard: DaemonYard
  beforeAll(async () => {
    yard = await DaemonYard.open()
  })
  afterAll(async () => yard[Symbol.asyncDispose]())

  /** Ends its instance as a crash does, and waits until another serves (or none will). */
  const crash = async (demo: string): Promise<string> => {
    const { instance_id: before, port } = await yard.detail(demo)
    const instance = (await yard.engine.list()).find(({ id }) => id === before)
    await yard.engine.stop(instance?.id ?? ('' as never), 0)
    return vi.waitFor(async () => {
      const now = await yard.detail(demo)
      expect(now.deployments[0]?.state === 'runtime_error' || (now.port !== null && now.port !== port)).toBe(true)
      return now.deployments[0]?.state ?? ''
    })
  }

  test('is started again, and what waited is answered; what ran is told that it was interrupted', async () => {
    const { demo } = await yard.deploy('revived')
    const gate = yard.gate('revived')
    const running = await yard.submit(demo, { word: 'running', gate: gate.path })
    const waiting = await yard.submit(demo, { word: 'waiting' })
    await vi.waitFor(async () => expect(await gate.runs()).toEqual(['running']))
    expect(await crash(demo)).toBe('running')
    expect(await yard.prediction(demo, running)).toMatchObject({ status: 'failed', reason: 'interrupted' })
    expect(await yard.prediction(demo, waiting)).toMatchObject({ status: 'succeeded', output: 'waiting, version 1' })
    expect(await gate.runs()).toEqual(['running'])
  })

  test('too often within ten minutes is not started any more, until its owner says so', async () => {
    const { demo, deployment } = await yard.deploy('crashing')
    expect([await crash(demo), await crash(demo), await crash(demo)]).toEqual(['running', 'running', 'running'])
    yard.ahead += 11 * 60_000
    expect([await crash(demo), await crash(demo), await crash(demo)]).toEqual(['running', 'running', 'running'])
    expect(await crash(demo)).toBe('runtime_error')
    const { status, reason, deployments } = await yard.detail(demo)
    expect([status, reason]).toEqual(['failed', expect.stringContaining('exited 4 times within ten minutes')])
    expect(deployments[0]?.log_tail.length).toBeGreaterThan(3)
    await yard.ask('POST', `/demos/${demo}/start`, {})
    await yard.deployment(demo, deployment.id, 'running')
    expect(await yard.prediction(demo, await yard.submit(demo, { word: 'again' }))).toMatchObject({
      status: 'succeeded',
    })
  })
})
