import { Command } from 'commander'
import { Api, demoAddress } from '../api.ts'
import { Failure } from '../failure.ts'

export const stop = () => change('stop', 'stop a demo; predictions that wait for it fail as stopped', 'POST', '/stop', 'stopped')
export const start = () => change('start', 'start a stopped demo again', 'POST', '/start', 'starting')
export const remove = () =>
  change('remove', 'remove a demo and all that belongs to it; one that is not there is no error', 'DELETE', '', 'removed')

function change(name: string, description: string, method: string, path: string, done: string): Command {
  return new Command(name)
    .description(description)
    .argument('<demo>', 'account/name')
    .option('--json', 'print JSON')
    .action(async (demo: string, { json }: { json?: boolean }) => {
      const address = demoAddress(demo)
      const asked = (await Api.open()).json<object | undefined>(method, `/-/api/demos${address}${path}`)
      const answer = await (method === 'DELETE' ? asked.catch(unlessMissing) : asked)
      if (json) console.log(JSON.stringify({ address, ...answer }))
      else console.log(`${address} ${answer === missing ? 'was not there' : done}`)
    })
}

const missing = { missing: true }

/** What is not there needs no removing. */
function unlessMissing(error: unknown): typeof missing {
  if (error instanceof Failure && error.status === 404) return missing
  throw error
}
