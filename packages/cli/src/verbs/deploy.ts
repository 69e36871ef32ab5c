import type { DemoPage, Deployment } from '@origami/protocol/control'
import { Command, Option } from 'commander'
import { Api } from '../api.ts'
import { demoLog, parseLogLine } from '../demo-log.ts'
import { Failure } from '../failure.ts'
import { type FollowedDeploy, failedToGoLive, followDeploy } from '../follow-deploy.ts'
import { originOf } from '../origin-link.ts'
import { plainText } from '../plain-text.ts'

interface Flags {
  name?: string
  private?: boolean
  public?: boolean
  wait: boolean
  json?: boolean
}

const linesThatMatter = 20

export const deployVerb = () =>
  new Command('deploy')
    .description('make a demo of a repository, or bring its newest commit live, and follow its log until it is')
    .argument('[link]', 'https://github.com/owner/name; without it, the remote `origin` of the folder you stand in')
    .option('--name <name>', "the demo's name; the repository's when not given")
    .option('--private', 'only you, and who has its unlisted link, see it')
    .addOption(
      new Option('--public', 'everybody sees it; of a private repository one of the two is asked').conflicts('private'),
    )
    .option('--no-wait', 'do not follow the deploy')
    .option('--json', 'print JSON')
    .action(async (linkArgument: string | undefined, flags: Flags) => {
      const tell = flags.json ? () => {} : (line: string) => console.error(plainText(line))
      const api = await Api.open()
      const { body: made, status } = await api.answer('POST /-/api/demos', {
        body: await requestBody(linkArgument, flags),
      })
      if (status === 200) tell(`already a demo: ${api.url}${made.address}`)
      const { page, deployment } = flags.wait ? await followed(api, made, tell) : { page: made, deployment: undefined }
      const failed = deployment !== undefined && failedToGoLive(deployment)
      if (flags.json) console.log(JSON.stringify(page))
      else if (!failed) console.log(`${api.url}${page.address}`)
      if (failed) throw new Failure(whyItFailed(deployment))
    })

async function requestBody(linkArgument: string | undefined, { name, private: isPrivate, public: isPublic }: Flags) {
  const { link, warnings } =
    linkArgument === undefined ? await originOf(process.cwd()) : { link: linkArgument, warnings: [] }
  for (const warning of warnings) console.error(`warning: ${warning}`)
  // Without a flag the server decides: it asks when the repository is private, and leaves a known demo unchanged.
  const visibility = isPrivate ? { public: false } : isPublic ? { public: true } : {}
  return { link, ...visibility, ...(name ? { name } : {}) }
}

/** Follows a deployment to its end while printing its log. Returns the demo and the deployment. */
async function followed(api: Api, made: DemoPage, tell: (line: string) => void): Promise<FollowedDeploy> {
  const ended = new AbortController()
  const log = tellLog(api, made, tell, ended.signal)
  try {
    return await followDeploy(api, made, tell)
  } finally {
    ended.abort()
    await log
  }
}

/**
 * Prints what the clone, the build and the demo write. `followDeploy` prints the steps. When the log cannot be read any
 * more, the deploy goes on and a line says so.
 */
async function tellLog(api: Api, made: DemoPage, tell: (line: string) => void, signal: AbortSignal): Promise<void> {
  try {
    const since = made.detail?.newest?.created_at ?? ''
    for await (const line of demoLog(api, made, { follow: true, signal })) {
      const { at, source, text } = parseLogLine(line)
      if (source !== 'deploy' && at !== null && at >= since) tell(`${source}: ${text}`)
    }
  } catch (error) {
    if (!signal.aborted) tell(`the log cannot be followed: ${error instanceof Error ? error.message : error}`)
  }
}

/** The end of the failed step's log, and then the reason. */
function whyItFailed({ state, reason, log_tail, steps }: Deployment): string {
  const began = steps.at(-2)?.at ?? ''
  const stepLog = log_tail.map(parseLogLine).filter(({ at }) => at === null || at >= began)
  const lines = stepLog.slice(-linesThatMatter).map(({ text }) => `  ${text}`)
  return ['', ...lines, `${state}: ${reason ?? 'see origami logs'}`].join('\n')
}
