import { setTimeout } from 'node:timers/promises'
import { atMost, type Row } from '../measured.ts'
import { type Command, startQuickstart, startUp } from '../servers/our-command.ts'
import { hopOf, OurWorld } from '../servers/our-world.ts'
import { cpuMs, processTree, rssBytes } from '../servers/server.ts'
import type { Part, PartOptions } from './part.ts'
import { round } from './throughput.ts'

const part = 'rest'
const megabyte = 1024 ** 2

interface AtRest {
  readonly bytes: number
  readonly percent: number
}

export const atRestPart: Part = {
  name: part,
  about:
    'memory and CPU time of `origami up`, of `npm start` once it has built, bundled and deployed, and of a demo, when nobody asks for anything',
  async open(options, opened) {
    const started = options.isQuick ? undefined : opened.use(await startQuickstart())
    return async () => {
      await using up = await startUp()
      await using world = await OurWorld.start()
      await world.deploy('bench/models/echo', 'echo')
      // What is done once at the start is over.
      await setTimeout(2000)
      const [alone, withDemos] = await Promise.all([idle(up, options), started && idle(started, options)])
      const { runtime, shim } = await world.rssBytes()
      const demo = (runtime + shim) / megabyte
      options.say(
        `  up ${told(alone)}; npm start ${withDemos ? told(withDemos) : 'left out'}; a demo ${round(demo)} MB`,
      )
      return {
        rows: [
          ...rowsOf('`origami up`', alone),
          ...(withDemos ? rowsOf('`npm start` with its examples', withDemos) : []),
          { part, what: 'a demo without its worker', unit: 'MB', ours: demo, goal: atMost(95) },
        ],
      }
    }
  },
}

const told = ({ bytes, percent }: AtRest) => `${round(bytes / megabyte)} MB, ${round(percent)} % of a core`

const rowsOf = (what: string, { bytes, percent }: AtRest): Row[] => [
  { part, what: `${what}, memory`, unit: 'MB', ours: bytes / megabyte, goal: atMost(170) },
  { part, what: `${what}, part of a core`, unit: '%', ours: percent, goal: atMost(0.3) },
]

/** Memory and share of a core of the command and what it started, without the demos. */
async function idle({ server }: Command, { isQuick }: PartOptions): Promise<AtRest> {
  const restMs = isQuick ? 3000 : 20_000
  const isDemo = (command: string) => hopOf(command) !== undefined
  const own = (await processTree(server.pid)).filter(({ command }) => !isDemo(command)).map(({ pid }) => pid)
  const sum = async (of: (pid: number) => Promise<number>) =>
    (await Promise.all(own.map(of))).reduce((whole, one) => whole + one, 0)
  const before = await sum(cpuMs)
  await setTimeout(restMs)
  return { bytes: await sum(rssBytes), percent: (100 * ((await sum(cpuMs)) - before)) / restMs }
}
