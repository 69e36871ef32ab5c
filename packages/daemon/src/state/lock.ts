import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { startTime } from './start-time.ts'

/** Folders that this very process owns: a process id alone does not tell us from ourselves. */
const ours = new Set<string>()

/**
 * Makes this process the one owner of a state folder. Throws Error naming the process that owns it already;
 * the lock of a process that is gone is taken over.
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  const path = join(folder, 'lock')
  const mine = `${process.pid} ${startTime(process.pid)}`
  for (;;) {
    try {
      await using file = await open(path, 'wx', 0o600)
      await file.writeFile(mine)
      ours.add(path)
      return {
        async [Symbol.asyncDispose]() {
          ours.delete(path)
          await rm(path, { force: true })
        },
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const [pid = '', ...started] = (await readFile(path, 'utf8').catch(() => '')).split(' ')
    const theirs = startTime(Number(pid))
    const alive = Number(pid) === process.pid ? ours.has(path) : theirs !== undefined && theirs === started.join(' ')
    if (alive)
      throw new Error(`${folder} belongs to the daemon with process id ${pid}, which runs; stop it, or give another --data`)
    await rm(path, { force: true })
  }
}
