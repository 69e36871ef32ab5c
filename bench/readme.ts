import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'

interface Readme {
  readonly tables: readonly string[]
  readonly notes: readonly string[]
  readonly runs: number
  readonly versions: readonly string[]
}

/** Writes `bench/README.md`. Nothing in it is written by hand. */
export async function writeReadme({ tables, notes, runs, versions }: Readme): Promise<void> {
  const { stdout: commit } = await execa('git', ['rev-parse', '--short', 'HEAD'])
  const { stdout: changed } = await execa('git', ['status', '--short'])
  const what = `${commit}${changed === '' ? '' : ' with changes'}`
  const about = `Commit ${what}, ${new Date().toISOString().slice(0, 10)}, ${availableParallelism()} cores, ${versions.join(', ')}.`
  const text = `# What was measured

Written by \`npm run bench\`; \`npm run bench -- --help\` says how. ${about}
Medians of ${runs} runs, and in brackets the least and the most.

## Goals

${tables.join('\n\n## Predictions\n\n')}
${notes.length === 0 ? '' : `\n## Notes\n\n${notes.map((note) => `- ${note}`).join('\n')}\n`}`
  await writeFile(join(import.meta.dirname, 'README.md'), text)
}
