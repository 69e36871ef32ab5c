/** The environment variables of a runtime in a bundle. docs/operator.md lists them in a table. */
export interface RuntimeSettings {
  /** PORT. Undefined: the port in `.origami`. 0: any free port. */
  readonly port: number | undefined
  /** ORIGAMI_HOST */
  readonly host: string
  /** ORIGAMI_PORT_FILE: the file to which the port is written once the runtime listens. */
  readonly portFile: string | undefined
  /** ORIGAMI_PYTHON: the Python that runs a Python model. */
  readonly python: string | undefined
  /** ORIGAMI_NAME: the demo's name when neither `.origami` nor its model sets one. */
  readonly name: string | undefined
  /** ORIGAMI_FILES: the folder of inputs and results. Undefined: a temporary one. */
  readonly files: string | undefined
  /** ORIGAMI_INPUTS: a folder into which the daemon puts inputs, which is only read. Undefined: they come over HTTP. */
  readonly inputs: string | undefined
  /**
   * ORIGAMI_FILES_BYTES: how many bytes of inputs, outputs and files are kept. Undefined: it depends on the free space.
   */
  readonly filesBytes: number | undefined
  /** ORIGAMI_BODY_BYTES: the largest JSON body. */
  readonly bodyBytes: number
  /** ORIGAMI_FILE_BYTES: the largest file that is received or sent. */
  readonly fileBytes: number
}

export const defaultSettings = { host: '0.0.0.0', bodyBytes: 32 * 1024 ** 2, fileBytes: 100 * 1024 ** 2 } as const

/** A variable has a value that cannot be used. The message is for the person who set it. */
class SettingError extends Error {
  override readonly name = 'SettingError'
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the settings. No other file of this package reads `process.env`. An empty variable counts as unset. Throws
 * SettingError.
 */
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
    inputs: text('ORIGAMI_INPUTS'),
    filesBytes: bytes('ORIGAMI_FILES_BYTES'),
    bodyBytes: bytes('ORIGAMI_BODY_BYTES') ?? defaultSettings.bodyBytes,
    fileBytes: bytes('ORIGAMI_FILE_BYTES') ?? defaultSettings.fileBytes,
  }
}

/** The environment of a process that is started here. */
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
