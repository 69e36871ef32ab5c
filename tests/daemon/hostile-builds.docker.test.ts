import { statfs } from 'node:fs/promises'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { defaultLimits } from '../../packages/daemon/src/config.ts'
import { DockerEngine } from '../../packages/daemon/src/engine/docker/docker-engine.ts'
import { DaemonYard } from './yard.ts'

const gigabyte = 1024 ** 3
const from = 'FROM node:24-bookworm-slim\n'
/** A build that starts some processes, and a demo that serves. */
const harmless = () => ({
  Dockerfile: `${from}WORKDIR /demo
RUN for i in 1 2 3 4 5; do /bin/echo ${Date.now()}; done
COPY . .
USER 1000
CMD ["node", "origami/server.mjs"]
`,
})

/** Starts 1500 processes at once, and ends with all of them after three seconds. */
const bomb = `
const { spawn } = require('child_process')
require('fs').writeSync(1, 'bomb begins\\n')
let [begun, refused] = [0, 0]
for (let i = 0; i < 1500; i += 1)
  spawn('sleep', ['3']).on('spawn', () => (begun += 1)).on('error', () => (refused += 1))
setTimeout(() => {
  console.log('bomb ends', JSON.stringify({ begun, refused }))
  process.exit(1)
}, 3000)
`

describe('a build that takes all it can get', () => {
  let yard: DaemonYard
  beforeAll(async () => {
    const limits = { deployments: 2, buildPids: 1000, buildMemoryBytes: 4 * gigabyte, buildCpus: 1.5, freeSpaceMs: 100 }
    yard = await DaemonYard.open(limits, 'docker')
  })
  afterAll(async () => {
    await yard[Symbol.asyncDispose]()
    // The limits are those of all builds on this host.
    const engine = new DockerEngine({ owner: 'nobody', limits: defaultLimits })
    await engine.limitBuilds(new AbortController().signal)
  })

  /** The answers of the daemon until a deployment has ended, all of which have to be right. */
  const answersUntilEnded = async (demo: string, deployment: string): Promise<number> => {
    let answers = 0
    const ended = yard.deployment(demo, deployment).then(() => true)
    do {
      expect((await yard.ask('GET', '/health')).status).toBe(200)
      answers += 1
    } while (!(await Promise.race([ended, new Promise((resolve) => setImmediate(resolve, false))])))
    return answers
  }

  test('of processes gets half of those of all builds: the daemon answers, and another build ends', async () => {
    const Dockerfile = `${from}COPY bomb.js /\nRUN node /bomb.js # ${Date.now()}\n`
    const bombing = await yard.trigger(await yard.push('bomb', { Dockerfile, 'bomb.js': bomb }))
    await vi.waitFor(async () => expect(await yard.log(bombing.demo)).toContain('build bomb begins'))
    const other = yard.deploy('other', harmless())
    expect(await answersUntilEnded(bombing.demo, bombing.deployment)).toBeGreaterThan(20)
    expect((await yard.deployment(bombing.demo, bombing.deployment)).state).toBe('build_failed')
    const told = /bomb ends (\{.*\})/.exec(await yard.log(bombing.demo))?.[1]
    const { begun, refused } = JSON.parse(told ?? '{}') as { begun: number; refused: number }
    expect(begun + refused).toBe(1500)
    expect(begun).toBeLessThanOrEqual(600)
    expect((await other).deployment).toMatchObject({ state: 'running', reason: null })
  })

  test('of disk is stopped before the guard is passed, what it wrote is free again, and another build ends', async () => {
    const { DockerRootDir: root } = (await new Docker().info()) as { DockerRootDir: string }
    const free = async () => {
      const { bavail, bsize } = await statfs(root)
      return bavail * bsize
    }
    const before = await free()
    yard.running.configure({
      freeBuildBytes: before - gigabyte,
      freeBuildingBytes: before - 1.5 * gigabyte,
      freeUploadBytes: before - 3.5 * gigabyte,
    })
    const Dockerfile = `${from}RUN dd if=/dev/zero of=/big bs=1M count=4000 # ${Date.now()}\n`
    const filling = await yard.trigger(await yard.push('filling', { Dockerfile }))
    let least = before
    const sampling = setInterval(() => void free().then((now) => (least = Math.min(least, now))), 20)
    const filled = await yard.deployment(filling.demo, filling.deployment)
    clearInterval(sampling)
    expect(filled).toMatchObject({ state: 'build_failed', reason: expect.stringMatching(/for want of room: .* free/) })
    expect(least).toBeGreaterThan(before - 3.5 * gigabyte)
    await vi.waitFor(async () => expect(await free()).toBeGreaterThan(before - 0.8 * gigabyte), { timeout: 30_000 })
    expect((await yard.deploy('after', harmless())).deployment).toMatchObject({ state: 'running', reason: null })
  })
})
