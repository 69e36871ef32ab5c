import { Command } from 'commander'
import { Api, demoAddress } from '../api.ts'

export const stop = () => change('stop', 'stop a demo; predictions that wait for it fail as stopped', 'POST', '/stop', 'stopped')
export const start = () => change('start', 'start a stopped demo again', 'POST', '/start', 'starting')
export const remove = () => change('remove', 'remove a demo and all that belongs to it', 'DELETE', '', 'removed')

function change(name: string, description: string, method: string, path: string, done: string): Command {
  return new Command(name)
    .description(description)
    .argument('<demo>', 'account/name')
    .option('--json', 'print JSON')
    .action(async (demo: string, { json }: { json?: boolean }) => {
      const address = demoAddress(demo)
      const answer = await (await Api.open()).json(method, `/-/api/demos${address}${path}`)
      console.log(json ? JSON.stringify(answer ?? { address }) : `${address} ${done}`)
    })
}
