import { forgeTraits } from '@origami/protocol/control'
import { Command } from 'commander'
import { readForges } from '../config.ts'
import { env } from '../env.ts'
import { Failure } from '../failure.ts'
import { settingFlags } from '../settings/flags.ts'
import { keys, quickstartData } from '../settings/keys.ts'
import type { EffectiveSetting, Settings } from '../settings/read-settings.ts'
import { reportLines } from '../settings/reload.ts'
import { runningServers, type ServerRecord } from '../settings/server-records.ts'
import { table } from '../table.ts'

const flags = settingFlags(['data'])

export const configVerb = () =>
  flags
    .addTo(new Command('config').description('the settings in force, and where each is from; no secret is printed'))
    .option('--json', 'print JSON')
    .action(async ({ json, data }: { json?: boolean; data?: string }, command: Command) => {
      const read = await flags.read(command).catch(asFailure)
      const failed = read instanceof Failure
      const folder = failed ? (data ?? env.variable('ORIGAMI_DATA') ?? keys.data.default) : read.values.data
      const running = [...(await runningServers(folder)), ...(await runningServers(quickstartData(folder)))]
      const secrets = failed ? [] : await secretsOf(read)
      const error = failed ? read.message : null
      const settings = failed ? null : read.effective
      if (json) console.log(JSON.stringify({ running, settings, secrets, error }))
      else console.log(report(running, settings, secrets, error))
      if (error !== null || running.some((record) => record.error !== null)) process.exitCode = 1
    })

/** An error in the settings is shown with the rest of the output. A programming error is thrown again. */
function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  throw error
}

/** Reports the settings of running servers, or without one, those that the next server would use. */
function report(
  running: readonly ServerRecord[],
  settings: readonly EffectiveSetting[] | null,
  secrets: readonly EffectiveSetting[],
  error: string | null,
): string {
  const parts = running.map((record) => {
    const about = record.error === null && record.restart.length === 0 ? [] : reportLines(record)
    return [`origami ${record.verb} (process ${record.pid}) goes by these:`, shown(record.settings), ...about].join(
      '\n',
    )
  })
  if (running.length === 0 && settings) parts.push(shown(settings))
  if (secrets.length > 0) parts.push(shown(secrets))
  if (error !== null) parts.push(error)
  return parts.join('\n\n')
}

const shown = (settings: readonly EffectiveSetting[]): string =>
  table(
    ['setting', 'value', 'from'],
    settings.map(({ name, value, from }) => [name, value ?? '', from]),
  )

/** Tells for each forge whether its OAuth app is configured. Its secret is never shown. */
async function secretsOf(settings: Settings): Promise<EffectiveSetting[]> {
  const forges = await readForges(settings)
  return forges
    .filter(({ kind }) => forgeTraits[kind].signsIn)
    .map(({ host }) => {
      const variable = env.oauthVariable(host)
      return {
        name: `OAuth app of ${host}`,
        value: env.oauth(host) ? 'set' : 'not set',
        from: `${variable}_CLIENT_…`,
        live: false,
      }
    })
}
