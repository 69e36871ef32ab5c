import { performance } from 'node:perf_hooks'
import { Connection } from './connection.ts'
import { GradioQueue } from './gradio-queue.ts'
import type { Load, LoadResult } from './load.ts'

/** The load generator: a process of its own, which is given what to do as JSON and prints what it measured as JSON. */
const load = JSON.parse(process.argv[2] ?? '') as Load
/** A server that answers nothing but failures is given up after so many. One that refuses some is not. */
const tooMany = 1000
console.log(JSON.stringify(await run(load)))
process.exit()

async function run({ target, clients, warmupMs, measureMs, times: each }: Load): Promise<LoadResult> {
  const predict = target.kind === 'json' ? await jsonClients(target, clients) : gradioClients(target.url)
  const times: number[] = []
  let [failed, all] = [0, 0]
  let failure: string | undefined
  const started = performance.now()
  const begun = each === undefined ? started + warmupMs : started
  const until = each === undefined ? begun + measureMs : Number.POSITIVE_INFINITY
  const client = async (number: number) => {
    let sent = performance.now()
    const isGivenUp = () => all === 0 && failed >= tooMany
    for (let time = 0; sent < until && !isGivenUp() && time < (each ?? Number.POSITIVE_INFINITY); time += 1) {
      const error = await predict(number).catch((caught: Error) => caught)
      const now = performance.now()
      if (now >= begun && now < until) {
        if (error) failed += 1
        else times.push(now - sent)
      }
      if (!error) all += 1
      failure ??= error?.message
      sent = now
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)))
  if (times.length === 0) throw new Error(`nothing ended; ${failure ?? 'it took too long'}`)
  const took = each === undefined ? measureMs : performance.now() - started
  return { ...statistics(times, took), failed, all, ...(failure === undefined ? {} : { failure }) }
}

function statistics(times: number[], tookMs: number) {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
  return {
    ended: sorted.length,
    perSecond: (sorted.length * 1000) / tookMs,
    p50: at(0.5),
    p99: at(0.99),
    longest: at(1),
  }
}

type Predict = (client: number) => Promise<Error | undefined>

async function jsonClients(target: Extract<Load['target'], { kind: 'json' }>, clients: number): Promise<Predict> {
  const url = new URL(target.url)
  const connections = await Promise.all(Array.from({ length: clients }, () => Connection.open(url)))
  return async (client) => {
    try {
      const answer = await connections[client]?.post(target.body, target.headers)
      if (answer && answer.status < 300 && answer.body.includes(target.expects)) return undefined
      return new Error(`${answer?.status} ${answer?.body}`)
    } catch (error) {
      // Servers close connections that they have kept long enough.
      connections[client] = await Connection.open(url)
      return error instanceof Error ? error : new Error(String(error))
    }
  }
}

function gradioClients(url: string): Predict {
  const queue = new GradioQueue(url)
  return async () => {
    await queue.predict('x')
    return undefined
  }
}
