import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writePrivate } from '@origami/host/private-files'
import { z } from 'zod'

/** What a server that runs goes by, told in a file so that `origami config` can show it. It holds no secret. */
const recordSchema = z.object({
  /** `up`, `daemon`, `web` or `quickstart`. */
  verb: z.string(),
  pid: z.int().positive(),
  settings: z.array(z.object({ name: z.string(), value: z.string().nullable(), from: z.string(), live: z.boolean() })),
  /** Why the file was not taken over when it was last read. */
  error: z.string().nullable(),
  /** Settings that were changed in the file and need a restart. */
  restart: z.array(z.string()),
})
export type ServerRecord = z.infer<typeof recordSchema>

const folderOf = (data: string): string => join(data, 'in-force')

/** Puts it where `whatRuns` finds it, whole or not at all. */
export async function writeServerRecord(data: string, record: ServerRecord): Promise<void> {
  const folder = folderOf(data)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writePrivate(join(folder, `${record.verb}.json`), JSON.stringify(record))
}

export async function removeServerRecord(data: string, verb: string): Promise<void> {
  await rm(join(folderOf(data), `${verb}.json`), { force: true })
}

/** The servers of this data folder that run now. What a killed one left is not among them. */
export async function runningServers(data: string): Promise<ServerRecord[]> {
  const files = await readdir(folderOf(data)).catch((error: NodeJS.ErrnoException) => {
    // Where the data is no folder, the settings say so.
    if (['ENOENT', 'ENOTDIR'].includes(error.code ?? '')) return []
    throw error
  })
  // What ended meanwhile took its record with it.
  const records = await Promise.all(
    files
      .filter((name) => name.endsWith('.json'))
      .map(async (name) => readFile(join(folderOf(data), name), 'utf8').catch(() => '')),
  )
  return records.flatMap((text) => {
    const parsed = recordSchema.safeParse(jsonOf(text))
    return parsed.success && isRunning(parsed.data.pid) ? [parsed.data] : []
  })
}

/** A record that cannot be read counts as none: a server that runs writes it again at its next SIGHUP. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
