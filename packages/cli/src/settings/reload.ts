import { on } from 'node:events'
import { startTime } from '@origami/host/process-identity'
import type { EffectiveSetting, Settings } from './read-settings.ts'
import { removeServerRecord, type ServerRecord, writeServerRecord } from './server-records.ts'

/** The SIGHUP signals since this was made. */
export interface Sighups extends Disposable {
  readonly signals: AsyncIterable<unknown>
}

/**
 * From this call on, SIGHUP does not end the process. A signal that comes while a server starts takes effect once it
 * runs.
 */
export function sighups(): Sighups {
  const leaving = new AbortController()
  const signals = on(process, 'SIGHUP', { signal: leaving.signal })
  return { signals, [Symbol.dispose]: () => leaving.abort() }
}

/** A server whose settings are read again at SIGHUP. */
export interface Reloading {
  readonly heard: Sighups
  readonly verb: string
  readonly settings: Settings
  /** Reads the settings again. The error says what is wrong. */
  read(): Promise<Settings>
  /** Applies the settings that may change to the running server. */
  apply(settings: Settings): void | Promise<void>
}

/** Reloads at each SIGHUP, until disposed. When the settings cannot be read, the previous ones stay in force. */
export async function reloadAtSighup({ heard, verb, settings, read, apply }: Reloading): Promise<AsyncDisposable> {
  const { data } = settings.values
  let isLeaving = false
  const own = { verb, pid: process.pid, started: startTime(process.pid) }
  let record: ServerRecord = { ...own, settings: [...settings.effective], error: null, restart: [] }
  await writeServerRecord(data, record)
  const reload = async () => {
    try {
      const next = await read()
      await apply(next)
      record = { ...record, error: null, ...taken(record.settings, next.effective) }
    } catch (error) {
      record = { ...record, error: error instanceof Error ? error.message : String(error) }
    }
    await writeServerRecord(data, record).catch((error: unknown) =>
      console.error('origami config cannot be told', error),
    )
    for (const line of reportLines(record)) console.error(line)
  }
  const reloading = (async () => {
    for await (const _signal of heard.signals) await reload()
  })().catch((error: unknown) => {
    if (!isLeaving) throw error
  })
  return {
    async [Symbol.asyncDispose]() {
      isLeaving = true
      heard[Symbol.dispose]()
      await reloading
      await removeServerRecord(data, verb)
    },
  }
}

/** The settings in force after a reload: new values for those that may change, and old values for the others. */
function taken(
  before: readonly EffectiveSetting[],
  next: readonly EffectiveSetting[],
): Pick<ServerRecord, 'settings' | 'restart'> {
  const old = new Map(before.map((setting) => [setting.name, setting]))
  return {
    settings: next.map((setting) => (setting.live ? setting : (old.get(setting.name) ?? setting))),
    restart: next.flatMap(({ name, value, live }) => (!live && old.get(name)?.value !== value ? [name] : [])),
  }
}

/** What a person should know about a server's settings, for the log and for `origami config`. */
export function reportLines({ error, restart }: ServerRecord): string[] {
  if (error !== null) return [`The settings of before stay in force: ${error}`]
  return restart.length === 0
    ? ['The settings were read again.']
    : [`The settings were read again. A restart is needed for: ${restart.join(', ')}`]
}
