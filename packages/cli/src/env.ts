import { readFileSync } from 'node:fs'

/** The environment variables that the command knows. No other file reads `process.env`. */
export const env = {
  /** The address of the web server that `deploy`, `status` and others call. */
  url: process.env.ORIGAMI_URL || undefined,
  token: process.env.ORIGAMI_TOKEN || undefined,
  /** The Python that runs Python models. */
  python: process.env.ORIGAMI_PYTHON ?? 'python3',
  home: process.env.HOME ?? process.env.USERPROFILE,
  /** The folder in which a person started `npm run origami`. */
  invokedFrom: ['origami', 'start'].includes(process.env.npm_lifecycle_event ?? '') ? process.env.INIT_CWD : undefined,
  /** The whole environment. The daemon passes on what git, installers and instances need. */
  all: process.env,
  /** The value of a variable. An empty one counts as unset. */
  variable: (name: string): string | undefined => process.env[name] || undefined,
  variablesWith: (start: string): string[] => Object.keys(process.env).filter((name) => name.startsWith(start)),
  /** `ORIGAMI_GITHUB` for github.com, else the host's name in capitals: `ORIGAMI_CODE_EXAMPLE_ORG`. */
  oauthVariable: (host: string): string =>
    `ORIGAMI_${host === 'github.com' ? 'GITHUB' : host.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`,
  /** Read from `…_CLIENT_ID` and `…_CLIENT_SECRET`. `…_CLIENT_SECRET_FILE` names a file with the secret instead. */
  oauth(host: string) {
    const start = env.oauthVariable(host)
    const clientId = env.variable(`${start}_CLIENT_ID`)
    const file = env.variable(`${start}_CLIENT_SECRET_FILE`)
    const clientSecret = env.variable(`${start}_CLIENT_SECRET`) ?? (file && readFileSync(file, 'utf8').trim())
    return clientId && clientSecret ? { clientId, clientSecret } : undefined
  },
}
