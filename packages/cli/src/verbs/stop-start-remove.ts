import { Command } from 'commander'
import { Api, type DemoAddress, parseDemoAddress } from '../api.ts'
import { Failure } from '../failure.ts'

const demo = '/-/api/demos/:account/:name'

export const stopVerb = () =>
  verb('stop', 'stop a demo; predictions that wait for it fail as stopped', 'stopped', (api, params) =>
    api.call(`POST ${demo}/stop`, { params }),
  )
export const startVerb = () =>
  verb('start', 'start a stopped demo again', 'starting', (api, params) => api.call(`POST ${demo}/start`, { params }))
export const hideVerb = () =>
  verb('hide', 'make a demo unlisted: its owner and those who have its link see it', 'unlisted', (api, params) =>
    api.call(`PATCH ${demo}`, { params, body: { public: false } }),
  )
export const removeVerb = () =>
  verb(
    'remove',
    'remove a demo and all that belongs to it; one that is not there is no error',
    'removed',
    (api, params) => api.call(`DELETE ${demo}`, { params }).catch(unlessMissing),
  )

type DemoAction = (api: Api, demo: DemoAddress) => Promise<object>

function verb(name: string, description: string, done: string, ask: DemoAction): Command {
  return new Command(name)
    .description(description)
    .argument('<demo>', 'account/name')
    .option('--json', 'print JSON')
    .action(async (demo: string, { json }: { json?: boolean }) => {
      const { account, name } = parseDemoAddress(demo)
      const address = `/${account}/${name}`
      const answer = await ask(await Api.open(), { account, name })
      if (json) console.log(JSON.stringify({ address, ...answer }))
      else console.log(`${address} ${answer === missing ? 'was not there' : done}`)
    })
}

const missing = { missing: true }

/** A demo that does not exist counts as removed. */
function unlessMissing(error: unknown): typeof missing {
  if (error instanceof Failure && error.status === 404) return missing
  throw error
}
