import { performance } from 'node:perf_hooks'
import { Connection } from './connection.ts'
import { GradioQueue } from './gradio-queue.ts'
import type { Load, LoadResult } from './load.ts'

/** The load generator: a process of its own, which is given what to do as JSON and prints what it measured as JSON. */
const load = JSON.parse(process.argv[2] ?? '') as Load
/** A server that fails at once is not asked for ever. */
const tooMany = 1000
console.log(JSON.stringify(await run(load)))
process.exit()

async function run({ target, clients, warmupMs, measureMs }: Load): Promise<LoadResult> {
  const predict = target.kind === 'json' ? await jsonClients(target, clients) : gradioClients(target.url)
  const times: number[] = []
  let [failed, all] = [0, 0]
  let failure: string | undefined
  const begun = performance.now() + warmupMs
  const until = begun + measureMs
  const client = async (number: number) => {
    for (let sent = performance.now(); sent < until && failed < tooMany; ) {
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
  times.sort((a, b) => a - b)
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(part * times.length))] ?? Number.NaN
  return {
    ended: times.length,
    failed,
    all,
    ...(failure === undefined ? {} : { failure }),
    perSecond: (times.length * 1000) / measureMs,
    p50: at(0.5),
    p99: at(0.99),
  }
}

type Predict = (client: number) => Promise<Error | undefined>

async function jsonClients(target: Extract<Load['target'], { kind: 'json' }>, clients: number): Promise<Predict> {
  const url = new URL(target.url)
  const connections = await Promise.all(Array.from({ length: clients }, () => Connection.open(url)))
  return async (client) => {
    try {
      const answer = await connections[client]?.post(target.body)
      if (answer?.status === 200 && answer.body.includes(target.expects)) return undefined
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
