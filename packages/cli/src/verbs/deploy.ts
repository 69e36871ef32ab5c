import { type DemoPage, type Deployment, isEnded } from '@origami/protocol/control'
import { Command } from 'commander'
import { Api } from '../api.ts'
import { demoLog, parseLogLine } from '../demo-log.ts'
import { Failure } from '../failure.ts'
import { followDeploy } from '../follow-deploy.ts'
import { originOf } from '../origin-link.ts'
import { plainText } from '../plain-text.ts'

interface Flags {
  name?: string
  private?: boolean
  wait: boolean
  json?: boolean
}

const linesThatMatter = 20

export const deploy = () =>
  new Command('deploy')
    .description('make a demo of a repository, or bring its newest commit live, and follow its log until it is')
    .argument('[link]', 'https://github.com/owner/name; without it, the remote `origin` of the folder you stand in')
    .option('--name <name>', "the demo's name; the repository's when not given")
    .option('--private', 'only you, and who has its unlisted link, see it')
    .option('--no-wait', 'do not follow the deploy')
    .option('--json', 'print JSON')
    .action(async (given: string | undefined, flags: Flags) => {
      const tell = flags.json ? () => {} : (line: string) => console.error(plainText(line))
      const api = await Api.open()
      const made = await api.json<DemoPage>('POST', '/-/api/demos', await wanted(given, flags))
      const page = flags.wait ? await followed(api, made, tell) : made
      const newest = page.detail?.newest
      const failed = flags.wait && newest && isEnded(newest.state)
      if (flags.json) console.log(JSON.stringify(page))
      else if (!failed) console.log(`${api.url}${page.address}`)
      if (failed) throw new Failure(whyItFailed(newest))
    })

async function wanted(given: string | undefined, { name, private: isPrivate }: Flags) {
  const origin = given === undefined ? await originOf(process.cwd()) : undefined
  for (const warning of origin?.warnings ?? []) console.error(`warning: ${warning}`)
  return { link: given ?? origin?.link, public: !isPrivate, ...(name ? { name } : {}) }
}

/** The demo's page once the deploy ended; what it logged meanwhile was told. */
async function followed(api: Api, made: DemoPage, tell: (line: string) => void): Promise<DemoPage> {
  const ended = new AbortController()
  const log = tellLog(api, made, tell, ended.signal)
  try {
    return await followDeploy(api, made, tell)
  } finally {
    ended.abort()
    await log
  }
}

/** Tells what is cloned, built and printed; the steps themselves are told by the demo. A log that cannot be read any more does not end a deploy, and is said. */
async function tellLog(api: Api, made: DemoPage, tell: (line: string) => void, signal: AbortSignal): Promise<void> {
  try {
    const since = made.detail?.newest?.created_at ?? ''
    for await (const line of demoLog(api, made.address, { follow: true, signal })) {
      const { at, source, text } = parseLogLine(line)
      if (source !== 'deploy' && at !== null && at >= since) tell(`${source}: ${text}`)
    }
  } catch (error) {
    if (!signal.aborted) tell(`the log cannot be followed: ${error instanceof Error ? error.message : error}`)
  }
}

/** The reason, after the end of the log of the step that failed. */
function whyItFailed({ state, reason, log_tail, steps }: Deployment): string {
  const began = steps.at(-2)?.at ?? ''
  const ofStep = log_tail.map(parseLogLine).filter(({ at }) => at === null || at >= began)
  const lines = ofStep.slice(-linesThatMatter).map(({ text }) => `  ${text}`)
  return ['', ...lines, `${state}: ${reason ?? 'see origami logs'}`].join('\n')
}
