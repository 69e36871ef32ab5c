/** What the environment sets for a runtime in a bundle. docs/operator.md has the same as a table. */
export interface RuntimeSettings {
  /** PORT. Undefined: what `.origami` says; 0: any free one. */
  readonly port: number | undefined
  /** ORIGAMI_HOST */
  readonly host: string
  /** ORIGAMI_PORT_FILE: where the port is written once it listens. */
  readonly portFile: string | undefined
  /** ORIGAMI_PYTHON: runs a Python model. */
  readonly python: string | undefined
  /** ORIGAMI_NAME: what the demo is called where neither `.origami` nor its model says it. */
  readonly name: string | undefined
  /** ORIGAMI_FILES: the folder of inputs and results. Undefined: a temporary one. */
  readonly files: string | undefined
  /** ORIGAMI_FILES_BYTES: how much of inputs, outputs and files is kept. Undefined: by what is free. */
  readonly filesBytes: number | undefined
  /** ORIGAMI_BODY_BYTES: of one JSON body. */
  readonly bodyBytes: number
  /** ORIGAMI_FILE_BYTES: of one file that comes in or goes out. */
  readonly fileBytes: number
}

export const defaultSettings = { host: '0.0.0.0', bodyBytes: 32 * 1024 ** 2, fileBytes: 100 * 1024 ** 2 } as const

/** A variable has a value that cannot be used. The message is for who set it. */
class SettingError extends Error {
  override readonly name = 'SettingError'
}

type Environment = Readonly<Record<string, string | undefined>>

/** Nobody else in this package reads `process.env`. An empty variable says nothing. Throws SettingError. */
export function runtimeSettings(environment: Environment = process.env): RuntimeSettings {
  const text = (name: string) => environment[name] || undefined
  const bytes = (name: string) =>
    numberSetting(name, text(name), { least: 1, expected: 'a whole number of bytes, such as 1073741824' })
  return {
    port: numberSetting('PORT', text('PORT'), { least: 0, most: 65_535, expected: '0 to 65535' }),
    host: text('ORIGAMI_HOST') ?? defaultSettings.host,
    portFile: text('ORIGAMI_PORT_FILE'),
    python: text('ORIGAMI_PYTHON'),
    name: text('ORIGAMI_NAME'),
    files: text('ORIGAMI_FILES'),
    filesBytes: bytes('ORIGAMI_FILES_BYTES'),
    bodyBytes: bytes('ORIGAMI_BODY_BYTES') ?? defaultSettings.bodyBytes,
    fileBytes: bytes('ORIGAMI_FILE_BYTES') ?? defaultSettings.fileBytes,
  }
}

/** What a process that is started here gets of the environment. */
export const inheritedEnvironment = (): Record<string, string> => ({ ...process.env }) as Record<string, string>

function numberSetting(
  name: string,
  text: string | undefined,
  { least, most = Number.MAX_SAFE_INTEGER, expected }: { least: number; most?: number; expected: string },
): number | undefined {
  if (text === undefined) return undefined
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new SettingError(`${name}: expected ${expected}, got ${JSON.stringify(text.slice(0, 100))}`)
}
