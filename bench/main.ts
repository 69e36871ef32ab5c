import { existsSync } from 'node:fs'
import { install } from './install.ts'
import { keep, readKept } from './kept.ts'
import type { Findings } from './measured.ts'
import type { Part, PartOptions } from './parts/part.ts'
import { parts } from './parts/parts.ts'
import { minutes, writeReadme } from './readme.ts'
import { goalsTable, throughputTable } from './report.ts'
import { OurWorld, probe } from './servers/our-world.ts'
import { cache, venv } from './servers/peers.ts'

const fullRuns = 5
const say = (line: string) => console.log(line)
const full = { isQuick: false, measureMs: 3000, warmupMs: 1000, say }
const quick = { isQuick: true, measureMs: 600, warmupMs: 300, say }
const startWorld = () => OurWorld.start({ imports: [probe] })

const args = process.argv.slice(2)
const unknown = args.filter(
  (arg) => !['install', 'quick', 'readme', '--help'].includes(arg) && !parts.some((one) => one.name === arg),
)
if (args.includes('--help')) console.log(await help())
else if (unknown.length > 0) {
  console.error(`expected install, quick, readme or names of parts, got ${unknown.join(' ')}\n\n${await help()}`)
  process.exitCode = 1
} else if (args.includes('install')) await install()
else if (args.includes('readme')) await writeReadme()
else if (!existsSync(venv)) {
  console.error('The programs to compare with are not here: npm run bench -- install')
  process.exitCode = 1
} else await bench()

async function help(): Promise<string> {
  const lines = parts.map(async ({ name, about }) => {
    const kept = await readKept(name)
    return `  ${name.padEnd(10)} ${about}${kept ? `; took ${minutes(kept)} (${kept.commit})` : ''}`
  })
  return `npm run bench                      every part with full size, ${fullRuns} runs of each
npm run bench -- PART …            these parts alone
npm run bench -- quick [PART …]    one run with shorter times and smaller sizes, of which nothing is kept: about two
                                   minutes for every part when nothing else runs
npm run bench -- readme            writes bench/README.md anew, without measuring
npm run bench -- install           the programs to compare with, into ${venv}

Compares Origami with others, each a process of its own that is alone with the load generator, and says which goals are
met. Only the ratios within one run mean anything: machines differ, and are noisy. What a part found with full size is
kept in ${cache}/results, and bench/README.md is written from the newest result of every part.

Parts:
${(await Promise.all(lines)).join('\n')}`
}

async function bench(): Promise<void> {
  const chosen = parts.filter(({ name }) => args.includes(name))
  const isQuick = args.includes('quick')
  await using shared = new AsyncDisposableStack()
  let world: OurWorld | undefined
  const options: PartOptions = isQuick
    ? { ...quick, world: async () => (world ??= shared.use(await startWorld())) }
    : { ...full, world: async (opened) => opened.use(await startWorld()) }
  const found: { part: string; runs: readonly Findings[] }[] = []
  for (const part of chosen.length > 0 ? chosen : parts) {
    const begun = performance.now()
    const runs = await runsOf(part, options)
    const tookSeconds = Math.round((performance.now() - begun) / 1000)
    console.log(`${part.name} took ${tookSeconds} s`)
    found.push({ part: part.name, runs })
    if (!isQuick) await keep({ part: part.name, tookSeconds, runs })
  }
  report(found)
  if (!isQuick) await writeReadme()
}

async function runsOf(part: Part, options: PartOptions): Promise<readonly Findings[]> {
  await using opened = new AsyncDisposableStack()
  const runOnce = await part.open(options, opened)
  const runs: Findings[] = []
  const count = options.isQuick ? 1 : fullRuns
  while (runs.length < count) {
    console.log(count === 1 ? part.name : `${part.name}, run ${runs.length + 1} of ${count}`)
    runs.push(await runOnce())
  }
  return runs
}

function report(found: readonly { part: string; runs: readonly Findings[] }[]): void {
  const rows = found.flatMap(({ runs }) => runs.map((run) => run.rows))
  const throughputs = found.flatMap(({ part, runs }) =>
    runs.map((run) => (run.throughputs ?? []).map((one) => ({ ...one, part }))),
  )
  console.log(`\n${goalsTable(rows)}`)
  if (throughputs.some((run) => run.length > 0)) console.log(`\n${throughputTable(throughputs)}`)
  for (const note of new Set(found.flatMap(({ runs }) => runs.flatMap((run) => run.notes ?? [])))) console.log(note)
}
