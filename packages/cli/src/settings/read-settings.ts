import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Limits } from '@origami/daemon/config'
import { nearest, parseYamlKeys, type YamlKeys } from '@origami/protocol/demo'
import type { WebLimits } from '@origami/web/config'
import { env } from '../env.ts'
import { Failure } from '../failure.ts'
import { fileSchema, type Row, rows } from './file-schema.ts'
import { keys, type Values } from './keys.ts'
import { daemonLimits, limitsOf, webLimits } from './limits.ts'

/** A setting that a flag gave. */
export interface FlagSetting {
  /** `port`, or `limits.waiting`. */
  readonly name: string
  readonly written: unknown
  readonly flag: string
}

/** One setting and the source of its value: `default`, `/srv/origami.yaml:3`, `ORIGAMI_PORT`, `--port`. */
export interface EffectiveSetting {
  readonly name: string
  /** The value as a person would write it. Null when nothing is set. */
  readonly value: string | null
  readonly from: string
  /** Whether SIGHUP changes it in a running server. Other settings need a restart. */
  readonly live: boolean
}

export interface Settings {
  readonly values: Values
  readonly limits: { readonly daemon: Limits; readonly web: WebLimits }
  readonly effective: readonly EffectiveSetting[]
  /** The file that was read, if there was one. */
  readonly file: string | undefined
}

interface Found {
  readonly value: unknown
  readonly from: string
}

/**
 * Reads the settings. A flag counts before the environment, then `origami.yaml` (`config`, else ORIGAMI_CONFIG, else
 * beside the data), then the default. Throws Failure that says where the error is, and what is expected there.
 */
export async function readSettings(
  flags: readonly FlagSetting[] = [],
  config?: string,
  defaults: Partial<Values> = {},
): Promise<Settings> {
  const above = [...flags.map(fromFlag), ...fromEnvironment()]
  const found = new Map<string, Found>(above.toReversed())
  const standard = new Map<string, unknown>([
    ...rows.map((row) => [row.name, row.default] as const),
    ...Object.entries(defaults),
  ])
  const data = String(found.get('data')?.value ?? standard.get('data'))
  const named = config ?? env.variable('ORIGAMI_CONFIG')
  const file = await readFileOf(named ?? join(data, 'origami.yaml'), named !== undefined)
  for (const [name, entry] of file?.found ?? []) if (!found.has(name)) found.set(name, entry)
  const all = rows.map((row) => ({
    row,
    ...(found.get(row.name) ?? { value: standard.get(row.name), from: 'default' }),
  }))
  const values = new Map(all.map(({ row, value }) => [row.name, value]))
  refuseSilence(values)
  return {
    values: Object.fromEntries(Object.keys(keys).map((name) => [name, values.get(name)])) as Values,
    limits: { daemon: limitsOf(daemonLimits, values), web: limitsOf(webLimits, values) },
    effective: all.map(({ row, value, from }) => ({
      name: row.name,
      value: value === undefined ? null : row.kind.write(value),
      from,
      live: row.live,
    })),
    file: file?.path,
  }
}

/** A silence limit shorter than the time between two keep-alive messages would end every connection. */
function refuseSilence(values: ReadonlyMap<string, unknown>): void {
  const [silence, keepAlive] = [values.get('limits.silence'), values.get('limits.keep_alive')].map(Number)
  if (silence === undefined || keepAlive === undefined || silence > keepAlive) return
  throw new Failure(
    `limits.silence: expected more than limits.keep_alive, which is ${keepAlive / 1000}s, got ${silence / 1000}s`,
  )
}

/** The environment variable of a setting: `ORIGAMI_LIMITS_WAITING`. */
export const variableOf = (name: string): string => `ORIGAMI_${name.replace('.', '_').toUpperCase()}`

function fromFlag({ name, written, flag }: FlagSetting): [string, Found] {
  const row = rows.find((one) => one.name === name)
  if (!row)
    throw new Failure(`${flag}: there is no setting ${JSON.stringify(name)}; did you mean ${nearest(name, names())}?`)
  return [name, { value: read(row, written, flag), from: flag }]
}

function fromEnvironment(): [string, Found][] {
  const byVariable = new Map(rows.map((row) => [variableOf(row.name), row]))
  for (const name of env.variablesWith('ORIGAMI_LIMITS_'))
    if (!byVariable.has(name))
      throw new Failure(`${name}: there is no such limit; did you mean ${nearest(name, [...byVariable.keys()])}?`)
  return [...byVariable].flatMap(([variable, row]): [string, Found][] => {
    const written = env.variable(variable)
    return written === undefined ? [] : [[row.name, { value: read(row, written, variable), from: variable }]]
  })
}

function read(row: Row, written: unknown, where: string): unknown {
  try {
    return row.kind.read(written, process.cwd())
  } catch (error) {
    throw new Failure(`${where}: ${error instanceof Error ? error.message : error}`)
  }
}

async function readFileOf(
  path: string,
  wanted: boolean,
): Promise<{ path: string; found: [string, Found][] } | undefined> {
  let text: string
  try {
    text = utf8.decode(await readFile(path))
  } catch (cause) {
    if (cause instanceof TypeError) throw new Failure(`cannot read ${path}: expected text in UTF-8, got other bytes`)
    if (!wanted && (cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Failure(`cannot read ${path}: ${cause instanceof Error ? cause.message : cause}`)
  }
  const file = parseFile(text, path)
  const found = rows.flatMap(({ name }): [string, Found][] => {
    const [first = '', second] = name.split('.')
    const top = file.value[first]
    const value = second === undefined ? top : (top as Record<string, unknown> | null | undefined)?.[second]
    return value === undefined ? [] : [[name, { value, from: `${path}:${file.lineOf(name.split('.'))}` }]]
  })
  return { path, found }
}

function parseFile(text: string, path: string): YamlKeys<Record<string, unknown>> {
  try {
    return parseYamlKeys(text, fileSchema(dirname(path)), path)
  } catch (cause) {
    throw new Failure(cause instanceof Error ? cause.message : String(cause))
  }
}

/** Throws TypeError for bytes that are not UTF-8. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

const names = (): string[] => rows.map(({ name }) => name)
