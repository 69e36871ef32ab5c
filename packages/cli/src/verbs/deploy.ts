import { type DemoPage, type DeploymentState, isEnded, isFailed } from '@origami/protocol/control'
import { Command } from 'commander'
import { Api } from '../api.ts'
import { Failure } from '../failure.ts'
import { followDeploy } from '../follow-deploy.ts'

interface Flags {
  name?: string
  private?: boolean
  wait: boolean
  json?: boolean
}

export const deploy = () =>
  new Command('deploy')
    .description('make a demo of a repository, or bring its newest commit live')
    .argument('<link>', 'https://github.com/owner/name')
    .option('--name <name>', "the demo's name; the repository's when not given")
    .option('--private', 'only you, and who has its unlisted link, see it')
    .option('--no-wait', 'do not follow the deploy')
    .option('--json', 'print JSON')
    .action(async (link: string, given: Flags) => {
      const api = await Api.open()
      const body = { link, public: !given.private, ...(given.name ? { name: given.name } : {}) }
      const made = await api.json<DemoPage>('POST', '/-/api/demos', body)
      const page = given.wait ? await followDeploy(api, made, given.json ? () => {} : (line) => console.error(line)) : made
      console.log(given.json ? JSON.stringify(page) : `${api.url}${page.address}`)
      const newest = page.detail?.newest
      if (given.wait && newest && failed(newest.state))
        throw new Failure(`${newest.state}: ${newest.reason ?? 'see origami logs'}`)
    })

const failed = (state: DeploymentState): boolean => isFailed(state) || isEnded(state)
