import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { versionsOfPeers } from './install.ts'
import type { Findings } from './measured.ts'
import { cache } from './servers/peers.ts'

/** What all runs of one part found, with full size. The newest of each part is kept as JSON. */
export interface Kept {
  readonly part: string
  readonly commit: string
  /** When it ended, ISO 8601 in UTC. */
  readonly at: string
  readonly tookSeconds: number
  readonly machine: string
  readonly versions: readonly string[]
  readonly runs: readonly Findings[]
}

const fileOf = (part: string): string => join(cache, 'results', `${part}.json`)

/** Keeps what was found, instead of what the part found before. */
export async function keep(found: Pick<Kept, 'part' | 'tookSeconds' | 'runs'>): Promise<void> {
  const kept: Kept = {
    ...found,
    commit: await commitNow(),
    at: new Date().toISOString(),
    machine: `${availableParallelism()} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 1024 ** 3)} GB`,
    versions: await versionsOfPeers(),
  }
  await mkdir(join(cache, 'results'), { recursive: true })
  await writeFile(fileOf(found.part), `${JSON.stringify(kept, undefined, 2)}\n`)
}

/** Undefined: it was never measured with full size. */
export async function readKept(part: string): Promise<Kept | undefined> {
  return existsSync(fileOf(part)) ? (JSON.parse(await readFile(fileOf(part), 'utf8')) as Kept) : undefined
}

async function commitNow(): Promise<string> {
  const { stdout: commit } = await execa('git', ['rev-parse', '--short', 'HEAD'])
  const { stdout: changed } = await execa('git', ['status', '--short', '--', ':!bench/README.md'])
  return `${commit}${changed === '' ? '' : ' with changes'}`
}
