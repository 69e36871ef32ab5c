import { join } from 'node:path'
import type { DeployerList } from '@origami/web'
import { Command } from 'commander'
import { readForges } from '../config.ts'
import { settingFlags } from '../settings/flags.ts'
import { table } from '../table.ts'

const flags = settingFlags(['data', 'forges'])
const who = 'forge/login, such as github.com/ann, or forge/id:<number>'

interface Answer {
  readonly json: unknown
  readonly words: string
}

/** At the host of the web server, which may be running: each request asks its database anew. */
export const deployers = () =>
  new Command('deployers')
    .description('who may deploy besides the owner: list them, add one, remove one; the web server may be running')
    .addCommand(one('list', 'who may deploy', list), { isDefault: true })
    .addCommand(
      one('add', 'lets somebody deploy, by the number that the forge has for them', add).argument('<who>', who),
    )
    .addCommand(
      one('remove', 'takes the right away; settings that list them do not bring it back', remove).argument(
        '<who>',
        who,
      ),
    )

function one(name: string, description: string, work: (list: DeployerList, who: string) => Promise<Answer>): Command {
  return flags
    .addTo(new Command(name).description(description))
    .option('--json', 'print JSON')
    .action(async (...given: unknown[]) => {
      const command = given.at(-1) as Command
      const settings = await flags.read(command)
      const { DeployerList } = await import('@origami/web')
      const data = join(settings.values.data, 'web')
      const options = { data, forges: await readForges(settings), limits: settings.limits.web }
      await using opened = await DeployerList.open(options)
      const { json, words } = await work(opened, command.args[0] ?? '')
      console.log(command.opts<{ json?: boolean }>().json ? JSON.stringify(json) : words)
    })
}

async function list(opened: DeployerList): Promise<Answer> {
  const all = await opened.all()
  const rows = all.map(({ forge, subject, login }) => [forge, subject, login ?? '(never signed in)'])
  return { json: all, words: all.length > 0 ? table(['forge', 'number', 'login'], rows) : 'Nobody but the owner.' }
}

async function add(opened: DeployerList, asked: string): Promise<Answer> {
  const { added, deployer } = await opened.add(asked)
  const words = `${asked} (number ${deployer.subject}) ${added ? 'may deploy now' : 'may deploy already'}.`
  return { json: { added, ...deployer }, words }
}

async function remove(opened: DeployerList, asked: string): Promise<Answer> {
  const gone = await opened.remove(asked)
  if (!gone) return { json: { removed: false }, words: `${asked} may not deploy anyway.` }
  return {
    json: { removed: true, ...gone },
    words: `${asked} (number ${gone.subject}) may deploy no longer. Their demos stay.`,
  }
}
