import { readFileSync } from 'node:fs'

/** The names that the environment may set. Nobody else reads `process.env`. */
export const env = {
  /** Address of the web server that `deploy`, `status`, … speak to. */
  url: process.env.ORIGAMI_URL || undefined,
  token: process.env.ORIGAMI_TOKEN || undefined,
  /** Runs Python models. */
  python: process.env.ORIGAMI_PYTHON ?? 'python3',
  home: process.env.HOME ?? process.env.USERPROFILE,
  /** Where a person stood who wrote `npm run origami`. */
  invokedFrom: ['origami', 'start'].includes(process.env.npm_lifecycle_event ?? '') ? process.env.INIT_CWD : undefined,
  /** All of it, for the daemon to hand on what git, installers and instances need. */
  all: process.env,
  /** What a variable says; an empty one says nothing. */
  variable: (name: string): string | undefined => process.env[name] || undefined,
  variablesWith: (start: string): string[] => Object.keys(process.env).filter((name) => name.startsWith(start)),
  /** `ORIGAMI_GITHUB` for github.com, else the host's name in capitals: `ORIGAMI_CODE_EXAMPLE_ORG`. */
  oauthVariable: (host: string): string =>
    `ORIGAMI_${host === 'github.com' ? 'GITHUB' : host.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`,
  /** From `…_CLIENT_ID` and `…_CLIENT_SECRET`; `…_CLIENT_SECRET_FILE` names a file with the secret instead. */
  oauth(host: string) {
    const start = env.oauthVariable(host)
    const clientId = env.variable(`${start}_CLIENT_ID`)
    const file = env.variable(`${start}_CLIENT_SECRET_FILE`)
    const clientSecret = env.variable(`${start}_CLIENT_SECRET`) ?? (file && readFileSync(file, 'utf8').trim())
    return clientId && clientSecret ? { clientId, clientSecret } : undefined
  },
}
