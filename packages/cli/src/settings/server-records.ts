import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateFolder, writePrivate } from '@origami/host/private-files'
import { isAlive } from '@origami/host/process-identity'
import { z } from 'zod'

/** The settings of a running server, stored in a file so that `origami config` can show them. It contains no secret. */
const recordSchema = z.object({
  /** `up`, `daemon`, `web` or `quickstart`. */
  verb: z.string(),
  pid: z.int().positive(),
  /** When its process started, as `startTime` has it. Undefined: a version wrote it that did not tell. */
  started: z.string().optional(),
  settings: z.array(z.object({ name: z.string(), value: z.string().nullable(), from: z.string(), live: z.boolean() })),
  /** Why the file was rejected when it was last read. */
  error: z.string().nullable(),
  /** Settings that changed in the file and need a restart. */
  restart: z.array(z.string()),
})
export type ServerRecord = z.infer<typeof recordSchema>

const folderOf = (data: string): string => join(data, 'in-force')

/** Writes the record where `runningServers` finds it, so that readers see all of it or none. */
export async function writeServerRecord(data: string, record: ServerRecord): Promise<void> {
  const folder = folderOf(data)
  await makePrivateFolder(folder)
  await writePrivate(join(folder, `${record.verb}.json`), JSON.stringify(record))
}

export async function removeServerRecord(data: string, verb: string): Promise<void> {
  await rm(join(folderOf(data), `${verb}.json`), { force: true })
}

/** The servers of this data folder that run now, without records that killed servers left. */
export async function runningServers(data: string): Promise<ServerRecord[]> {
  const files = await readdir(folderOf(data)).catch((error: NodeJS.ErrnoException) => {
    // When the data folder does not exist or is a file, no server runs there, and reading the settings reports it.
    if (['ENOENT', 'ENOTDIR'].includes(error.code ?? '')) return []
    throw error
  })
  // A server that ended meanwhile has removed its record.
  const records = await Promise.all(
    files
      .filter((name) => name.endsWith('.json'))
      .map(async (name) => readFile(join(folderOf(data), name), 'utf8').catch(() => '')),
  )
  return records.flatMap((text) => {
    const parsed = recordSchema.safeParse(jsonOf(text))
    return parsed.success && isRunning(parsed.data) ? [parsed.data] : []
  })
}

/** A record that cannot be read is skipped. A running server writes it again at its next SIGHUP. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRunning({ pid, started }: ServerRecord): boolean {
  if (started !== undefined) return isAlive({ pid, started })
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // EPERM means that it runs under another account.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
