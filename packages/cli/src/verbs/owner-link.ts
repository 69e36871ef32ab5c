import { join } from 'node:path'
import { serverUrl } from '@origami/host/server-url'
import type { Web } from '@origami/web'
import { Command } from 'commander'
import { settingFlags } from '../settings/flags.ts'

const flags = settingFlags(['data', 'host', 'port', 'public_url'])

/** Runs on the host of the web server, which may be running. */
export const ownerLinkVerb = () =>
  flags
    .addTo(new Command('owner-link').description('a link that signs in the owner of this server: once, within an hour'))
    .action(async (_flags, command: Command) => {
      const { values } = await flags.read(command)
      const { makeOwnerLink } = await import('@origami/web')
      const url = values.public_url?.replace(/\/$/, '') ?? serverUrl('http', values.host, values.port)
      console.log(await makeOwnerLink(join(values.data, 'web'), url))
    })

/**
 * Says how the owner signs in: by a link, where a person reads it. What is no terminal is kept, as a log, and is told
 * the command that makes one.
 */
export function announceOwnerLink(web: Web, data: string): void {
  if (process.stdout.isTTY) console.log(`Sign in as its owner, once, within an hour: ${web.ownerLink()}`)
  else console.log(`Sign in as its owner: origami owner-link --data ${data}  makes a link`)
}
