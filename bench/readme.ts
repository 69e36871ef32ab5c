import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Kept, readKept } from './kept.ts'
import { parts } from './parts/parts.ts'
import { goalsTable, throughputTable } from './report.ts'

/** Writes `bench/README.md` from the newest full result of every part. Nothing in it is written by hand. */
export async function writeReadme(): Promise<void> {
  const found = await Promise.all(parts.map(async ({ name, about }) => ({ name, about, kept: await readKept(name) })))
  const kept = found.map((one) => one.kept).filter((one) => one !== undefined)
  const missing = found.filter((one) => !one.kept).map(({ name }) => name)
  const notes = [...new Set(kept.flatMap(({ runs }) => runs.flatMap((run) => run.notes ?? [])))]
  const throughputs = kept.flatMap(({ part, runs }) =>
    runs.flatMap((run) => (run.throughputs ?? []).map((one) => ({ ...one, part }))),
  )
  const sections = [
    '# What was measured',
    `Written by \`npm run bench\` from the newest full result of each part; \`npm run bench -- --help\` says how. Only
ratios within one run mean anything: machines differ, and are noisy. Numbers are medians of all runs of a part, and in
brackets stand the least and the most.`,
    ...(missing.length === 0 ? [] : [`Not measured: ${missing.join(', ')}.`]),
    '## Goals',
    goalsTable(kept.flatMap(({ runs }) => runs.map(({ rows }) => rows))),
    ...(throughputs.length === 0 ? [] : ['## Predictions', throughputTable([throughputs])]),
    '## Parts',
    partsTable(found),
    ...conditions(kept),
    ...(notes.length === 0 ? [] : ['## Notes', notes.map((note) => `- ${note}`).join('\n')]),
  ]
  await writeFile(join(import.meta.dirname, 'README.md'), `${sections.join('\n\n')}\n`)
}

function partsTable(found: readonly { name: string; about: string; kept: Kept | undefined }[]): string {
  const lines = found.map(({ name, about, kept }) => {
    const when = kept ? `${kept.commit} | ${kept.at.slice(0, 10)} | ${kept.runs.length} | ${minutes(kept)}` : ' | | | '
    return `| ${name} | ${about} | ${when} |`
  })
  return ['| part | what | commit | date | runs | took |', '|---|---|---|---|---|---|', ...lines].join('\n')
}

export const minutes = ({ tookSeconds }: Kept): string => `${(tookSeconds / 60).toFixed(1)} min`

/** The machines and the versions of peers, each with the parts that were measured with them. */
function conditions(kept: readonly Kept[]): string[] {
  const by = Map.groupBy(kept, ({ machine, versions }) => `${machine}; ${versions.join(', ')}`)
  return [...by].map(([where, those]) => `${those.map(({ part }) => part).join(', ')}: ${where}.`)
}
