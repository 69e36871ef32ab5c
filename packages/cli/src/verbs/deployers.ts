import { join } from 'node:path'
import type { DeployerList } from '@origami/web'
import { Command } from 'commander'
import { readForges } from '../config.ts'
import { Failure } from '../failure.ts'
import { settingFlags } from '../settings/flags.ts'
import { table } from '../table.ts'

const flags = settingFlags(['data', 'forges'])
const who = 'forge/login, such as github.com/ann, or forge/id:<number>'

interface VerbOutput {
  readonly json: unknown
  readonly text: string
}

/** Runs on the host of the web server, which may be running, because it reads the database at each request. */
export const deployersVerb = () =>
  new Command('deployers')
    .description('who may deploy besides the owner: list them, add one, remove one; the web server may be running')
    // Without a verb it lists, so what is no verb comes here as an argument.
    .addCommand(one('list', 'who may deploy', list).allowExcessArguments().hook('preAction', refuseArguments), {
      isDefault: true,
    })
    .addCommand(
      one('add', 'lets somebody deploy, by the number that the forge has for them', add).argument('<who>', who),
    )
    .addCommand(
      one('remove', 'takes the right away; settings that list them do not bring it back', remove).argument(
        '<who>',
        who,
      ),
    )

function refuseArguments({ args: [first] }: Command): void {
  if (first !== undefined)
    throw new Failure(`origami deployers: expected list, add or remove, got ${first}; --help says what each takes`)
}

function one(
  name: string,
  description: string,
  work: (list: DeployerList, who: string) => Promise<VerbOutput>,
): Command {
  return flags
    .addTo(new Command(name).description(description))
    .option('--json', 'print JSON')
    .action(async (...args: unknown[]) => {
      const command = args.at(-1) as Command
      const settings = await flags.read(command)
      const { DeployerList } = await import('@origami/web')
      const data = join(settings.values.data, 'web')
      const options = { data, forges: await readForges(settings), limits: settings.limits.web }
      await using opened = await DeployerList.open(options)
      const { json, text } = await work(opened, command.args[0] ?? '')
      console.log(command.opts<{ json?: boolean }>().json ? JSON.stringify(json) : text)
    })
}

async function list(opened: DeployerList): Promise<VerbOutput> {
  const all = await opened.all()
  const rows = all.map(({ forge, subject, login }) => [forge, subject, login ?? '(never signed in)'])
  return { json: all, text: all.length > 0 ? table(['forge', 'number', 'login'], rows) : 'Nobody but the owner.' }
}

async function add(opened: DeployerList, asked: string): Promise<VerbOutput> {
  const { added, deployer } = await opened.add(asked)
  const text = `${asked} (number ${deployer.subject}) ${added ? 'may deploy now' : 'may deploy already'}.`
  return { json: { added, ...deployer }, text }
}

async function remove(opened: DeployerList, asked: string): Promise<VerbOutput> {
  const gone = await opened.remove(asked)
  if (!gone) return { json: { removed: false }, text: `${asked} may not deploy anyway.` }
  return {
    json: { removed: true, ...gone },
    text: `${asked} (number ${gone.subject}) may deploy no longer. Their demos stay.`,
  }
}
