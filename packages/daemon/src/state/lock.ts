import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlive, startTime } from '@origami/host/process-identity'
import Database from 'better-sqlite3'

/**
 * Makes this process the one owner of a state folder. Throws Error naming the process that owns it already; the lock of
 * a process that is gone is free. The lock is the kernel's, on an open file (SQLite's exclusive lock on an empty
 * database): it goes with its process, however that ends, so that nobody ever has to judge whether a lock is stale. The
 * file `lock` beside it only says who has it.
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  const path = join(folder, 'lock')
  const held = hold(join(folder, 'lock.db'))
  const before = await readOwner(path)
  // A daemon of before this kind of lock has only the file.
  const isTheirs = before !== undefined && before.pid !== process.pid && isAlive(before)
  if (!held || isTheirs) {
    held?.close()
    const whom = before ? `the daemon with process id ${before.pid}, which runs` : 'a daemon that is just starting'
    throw new Error(`${folder} belongs to ${whom}; stop it, or give another --data`)
  }
  await writeFile(path, `${process.pid} ${startTime(process.pid)}`, { mode: 0o600 })
  return {
    async [Symbol.asyncDispose]() {
      // In this order: the next one must not find a name of ours that is alive.
      await rm(path, { force: true })
      held.close()
    },
  }
}

/** Undefined: somebody has it. */
function hold(path: string): Database.Database | undefined {
  const database = new Database(path, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database.close()
    if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY')) return undefined
    throw error
  }
}

async function readOwner(path: string): Promise<{ pid: number; started: string } | undefined> {
  // No file: nobody has it.
  const [pid = '', started = ''] = (await readFile(path, 'utf8').catch(() => '')).split(' ')
  return /^\d+$/.test(pid) ? { pid: Number(pid), started } : undefined
}
