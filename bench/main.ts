import { existsSync } from 'node:fs'
import { install, versionsOfPeers } from './install.ts'
import type { Findings } from './measured.ts'
import type { Part } from './parts/part.ts'
import { parts } from './parts/parts.ts'
import { writeReadme } from './readme.ts'
import { goalsTable, throughputTable } from './report.ts'
import { venv } from './servers/peers.ts'

const fullRuns = 5
const full = { isQuick: false, measureMs: 4000, warmupMs: 1500 }
const quick = { isQuick: true, measureMs: 600, warmupMs: 300 }

const args = process.argv.slice(2)
const unknown = args.filter(
  (arg) => !['install', 'quick', '--help'].includes(arg) && !parts.some((one) => one.name === arg),
)
if (args.includes('--help')) console.log(help())
else if (unknown.length > 0) {
  console.error(`expected install, quick or names of parts, got ${unknown.join(' ')}\n\n${help()}`)
  process.exitCode = 1
} else if (args.includes('install')) await install()
else if (!existsSync(venv)) {
  console.error('The programs to compare with are not here: npm run bench -- install')
  process.exitCode = 1
} else await bench()

function help(): string {
  const lines = parts.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`)
  return `npm run bench                      every part, ${fullRuns} runs; writes bench/README.md
npm run bench -- quick             every part once, with shorter times: about two minutes when nothing else runs
npm run bench -- [quick] PART …    these parts alone
npm run bench -- install           the programs to compare with, into ${venv}

Compares Origami with others within one run, each a process of its own that is alone with the load generator, and says
which goals are met. Only the ratios mean anything: machines differ, and are noisy.

Parts:
${lines.join('\n')}`
}

async function bench(): Promise<void> {
  const chosen = parts.filter(({ name }) => args.includes(name))
  const isQuick = args.includes('quick')
  const measured = chosen.length > 0 ? chosen : parts
  const runs: (Findings & { part: string })[] = []
  for (let run = 1; run <= (isQuick ? 1 : fullRuns); run += 1) {
    console.log(`run ${run}`)
    for (const part of measured) runs.push({ ...(await measure(part, isQuick)), part: part.name })
  }
  const tables = [
    goalsTable(runs.map(({ rows }) => rows)),
    throughputTable(runs.map(({ part, throughputs = [] }) => throughputs.map((one) => ({ ...one, part })))),
  ]
  console.log(`\n${tables.join('\n\n')}`)
  const notes = [...new Set(runs.flatMap(({ notes: said }) => said ?? []))]
  for (const note of notes) console.log(note)
  if (!isQuick && chosen.length === 0)
    await writeReadme({ tables, notes, runs: fullRuns, versions: await versionsOfPeers() })
}

async function measure(part: Part, isQuick: boolean): Promise<Findings> {
  console.log(part.name)
  const begun = performance.now()
  const found = await part.measure({ ...(isQuick ? quick : full), say: (line) => console.log(line) })
  console.log(`  took ${((performance.now() - begun) / 1000).toFixed(0)} s`)
  return found
}
