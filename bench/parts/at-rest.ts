import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { execa } from 'execa'
import { freePort } from '../../tests/free-port.ts'
import { atMost, type Row } from '../measured.ts'
import { OurWorld } from '../servers/our-world.ts'
import { gradioQueue } from '../servers/peers.ts'
import { cpuMs, processTree, rssBytes, Server } from '../servers/server.ts'
import type { Part } from './part.ts'

const root = join(import.meta.dirname, '../..')
const origami = [process.execPath, 'scripts/origami.mjs']
const megabyte = 1024 ** 2

export const startPart: Part = {
  name: 'start',
  about: 'how long `origami up` and `origami serve` take to start, against an empty Node program and Gradio',
  async measure() {
    const begun = performance.now()
    await execa(process.execPath, ['-e', '0'])
    const node = performance.now() - begun
    const row = { part: 'start', unit: 'ms' } as const
    return {
      rows: [
        {
          ...row,
          what: '`origami up` listens',
          ours: await withUp(async (up) => up.startMs),
          peer: { name: '`node -e 0`', value: node },
          goal: atMost(20),
        },
        {
          ...row,
          what: '`origami serve` is ready',
          ours: await serveMs(),
          peer: { name: "Gradio's app.py", value: await gradioMs() },
          goal: atMost(0.25),
        },
      ],
    }
  },
}

export const atRestPart: Part = {
  name: 'rest',
  about: 'memory and CPU time of `origami up` without demos, and the memory of a demo, when nobody asks for anything',
  async measure({ isQuick }) {
    const up = await withUp((server) => idle(server.pid, isQuick ? 3000 : 20_000))
    const row = { part: 'rest' } as const
    const rows: Row[] = [
      { ...row, what: '`origami up`, memory', unit: 'MB', ours: up.bytes / megabyte, goal: atMost(170) },
      { ...row, what: '`origami up`, part of a core', unit: '%', ours: up.percent, goal: atMost(0.3) },
    ]
    await using world = await OurWorld.start()
    await world.deploy('bench/models/echo', 'echo')
    const { runtime, shim } = await world.rssBytes()
    return {
      rows: [
        ...rows,
        { ...row, what: 'a demo without its Python', unit: 'MB', ours: (runtime + shim) / megabyte, goal: atMost(95) },
      ],
    }
  },
}

/** Memory and share of a core of a process and all that it started. */
async function idle(pid: number, restMs: number): Promise<{ bytes: number; percent: number }> {
  // What is done once at the start is over.
  await setTimeout(2000)
  const all = (await processTree(pid)).map((one) => one.pid)
  const sum = async (of: (pid: number) => Promise<number>) =>
    (await Promise.all(all.map(of))).reduce((whole, one) => whole + one, 0)
  const before = await sum(cpuMs)
  await setTimeout(restMs)
  return { bytes: await sum(rssBytes), percent: (100 * ((await sum(cpuMs)) - before)) / restMs }
}

async function withUp<Result>(use: (server: Server) => Promise<Result>): Promise<Result> {
  const data = await mkdtemp(join(tmpdir(), 'origami-bench-'))
  try {
    const [port, daemonPort] = [await freePort(), await freePort()]
    const flags = ['--data', data, '--port', `${port}`, '--daemon-port', `${daemonPort}`, '--engine', 'process']
    const program = [...origami, 'up', ...flags, '--trust-demos']
    await using server = await Server.start(`http://127.0.0.1:${port}`, program, { cwd: root })
    return await use(server)
  } finally {
    await rm(data, { recursive: true, force: true })
  }
}

async function serveMs(): Promise<number> {
  const port = await freePort()
  const program = [...origami, 'serve', 'bench/models/echo/model.py', '--port', `${port}`]
  const options = { cwd: root, readyPath: '/health-check', readyWord: '"READY"' }
  await using server = await Server.start(`http://127.0.0.1:${port}`, program, options)
  return server.startMs
}

async function gradioMs(): Promise<number> {
  await using server = await gradioQueue(1).start()
  return server.startMs
}
