import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unlessAbsent } from '@origami/host/absent-files'
import { isAlive, startTime } from '@origami/host/process-identity'
import Database from 'better-sqlite3'

/**
 * Makes this process the only owner of a state folder. Throws Error that names the owning process, or says
 * why it cannot be told. The lock belongs to
 * the kernel, on an open file (SQLite's exclusive lock on an empty database). It ends with its process, however that
 * ends, so nobody has to judge whether a lock is stale. The file `lock` beside it only says who holds it.
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  const path = join(folder, 'lock')
  const lock = hold(join(folder, 'lock.db'))
  try {
    const before = await readOwner(path)
    // A daemon from before this kind of lock has only the file.
    if (!lock || (before !== undefined && before.pid !== process.pid && isAlive(before))) {
      const whom = before ? `the daemon with process id ${before.pid}, which runs` : 'a daemon that is just starting'
      throw new Error(`${folder} belongs to ${whom}; stop it, or give another --data`)
    }
    await writeFile(path, `${process.pid} ${startTime(process.pid)}`, { mode: 0o600 })
  } catch (error) {
    lock?.close()
    throw error
  }
  return {
    async [Symbol.asyncDispose]() {
      // The order matters: after the unlock the next daemon must not find the name of a live process.
      await rm(path, { force: true })
      lock.close()
    },
  }
}

/** Undefined: another process holds the lock. */
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
  // Without the file nobody holds the lock.
  const text = await readFile(path, 'utf8').catch(unlessAbsent(''))
  const [pid = '', started = ''] = text.split(' ')
  return /^\d+$/.test(pid) ? { pid: Number(pid), started } : undefined
}
