import { lstat, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { unlessAbsent } from '@origami/host/absent-files'
import { logged } from '../logged.ts'

/**
 * Removes folders of attempts that are over, and those that are older than this daemon. What cannot be removed is tried
 * again next time.
 */
export async function sweepWork(work: string, since: Date, isInUse: (folder: string) => boolean): Promise<void> {
  await mkdir(work, { recursive: true })
  for (const name of await readdir(work)) {
    const path = join(work, name)
    await logged(`${path} is nobody's, but cannot be removed`, async () => {
      // A path that is gone by now was one of git's temporary homes. Removing what does not exist does no harm.
      const made = name.startsWith('.') ? (await lstat(path).catch(unlessAbsent(undefined)))?.birthtime : undefined
      const passing = made !== undefined && made >= since // Git removes its temporary home itself.
      if (!passing && !isInUse(path)) await rm(path, { recursive: true, force: true })
    })
  }
}
