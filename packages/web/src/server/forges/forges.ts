import type { ForgeEntry, ForgeKind } from '@origami/protocol/control'
import type { OAuthApp } from '../config.ts'
import type { ForgeLimits } from './capped-fetch.ts'
import { folderForge } from './folder.ts'
import type { Forge, ForgeParts } from './forge.ts'
import { githubForge } from './github.ts'

const kinds: Readonly<Record<ForgeKind, (parts: ForgeParts) => Forge>> = {
  github: githubForge,
  folder: folderForge,
}

interface ForgesConfig {
  /** The operator's table. */
  readonly entries: readonly ForgeEntry[]
  /** OAuth apps, by the forge's host. */
  readonly apps: Readonly<Record<string, OAuthApp>>
  readonly limits: ForgeLimits
  readonly log: (message: string) => void
}

/** Opens each forge of the operator's table by its kind. */
export function openForges({ entries, apps, limits, log }: ForgesConfig): readonly Forge[] {
  return entries.map((entry) => {
    const app = apps[entry.host]
    const forge = kinds[entry.kind]({ entry, app, limits })
    if (app && !forge.signIn)
      log(
        `Nobody can sign in with ${entry.host}, though it has an OAuth app: expected \`web\` and \`api\` in its entry.`,
      )
    return forge
  })
}

export const forgeAt = (forges: readonly Forge[], host: string): Forge | undefined =>
  forges.find(({ entry }) => entry.host === host)
