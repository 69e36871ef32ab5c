import { mkdir, rm } from 'node:fs/promises'
import { parseRepoLink } from '@origami/protocol/control'
import { type Manifest, parseManifest } from '@origami/protocol/demo'
import { readBundleFile } from '../engine/bundle-file.ts'
import { logged } from '../logged.ts'
import { demoById } from '../store/demos.ts'
import type { Attempt, QueuedDeployment } from '../store/deployment.ts'
import { DeployFailed } from './failure.ts'
import type { DeployParts } from './parts.ts'
import type { DeployProgress } from './progress.ts'
import { workFolder } from './work-folder.ts'

/**
 * Fetches the newest commit, or the one that is known already, into a folder that only this attempt uses.
 */
export async function checkout(
  parts: DeployParts,
  progress: DeployProgress,
  queued: QueuedDeployment,
  signal: AbortSignal,
): Promise<string> {
  const { row } = progress
  const demo = await demoById(parts.db, row.demo_id)
  if (!demo) throw new DeployFailed('canceled', 'the demo was removed')
  const repo = parseRepoLink(demo.repolink, parts.forges)
  const token = queued.token === null ? undefined : parts.vault.unseal(queued.token, row.id)
  const into = workFolder(parts.work, row)
  await mkdir(into, { recursive: true })
  const { treeBytes, treeFiles, treePathBytes, gitMemoryBytes, gitCpuMs } = parts.limits
  const limits = {
    bytes: treeBytes,
    files: treeFiles,
    pathBytes: treePathBytes,
    memoryBytes: gitMemoryBytes,
    cpuMs: gitCpuMs,
  }
  const onLog = (line: Parameters<typeof parts.logs.append>[1][number]) => parts.logs.append(row.demo_id, [line])
  const known = queued.commit?.sha
  const { commit, message } = await parts.source.fetch({ repo, commit: known, token, into, limits, onLog }, signal)
  await progress.note({ commit_sha: commit, commit_message: message })
  await progress.say(`${repo.canonical} at ${commit}`)
  return into
}

/** Reads `.origami` of a checkout. Throws DeployFailed `not_linked`, ConfigError and ManifestError. */
export async function readManifest(folder: string): Promise<Manifest> {
  const text = await readBundleFile(folder, '.origami')
  if (text === undefined)
    throw new DeployFailed(
      'not_linked',
      '`.origami` is missing in the root of the repository; `origami bundle` writes it',
    )
  return parseManifest(text)
}

/** Removes the checkout. When that fails the deploy goes on, and a round of upkeep removes it. */
export async function removeCheckout({ work }: DeployParts, row: Attempt): Promise<void> {
  const folder = workFolder(work, row)
  await logged(`${folder} could not be removed`, () => rm(folder, { recursive: true, force: true }))
}
