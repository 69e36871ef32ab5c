/** The names that the environment may set. Nobody else reads `process.env`. */
export const env = {
  /** Address of the web server that `deploy`, `status`, … speak to. */
  url: process.env.ORIGAMI_URL,
  token: process.env.ORIGAMI_TOKEN,
  /** Runs Python models. */
  python: process.env.ORIGAMI_PYTHON ?? 'python3',
  home: process.env.HOME ?? process.env.USERPROFILE,
  /** `GITHUB_CLIENT_ID` for github.com, else the host's name in capitals: `CODE_EXAMPLE_ORG_CLIENT_ID`. */
  oauth: (host: string) => {
    const name = host === 'github.com' ? 'GITHUB' : host.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')
    const clientId = process.env[`ORIGAMI_${name}_CLIENT_ID`]
    const clientSecret = process.env[`ORIGAMI_${name}_CLIENT_SECRET`]
    return clientId && clientSecret ? { clientId, clientSecret } : undefined
  },
}
