import { Command } from 'commander'
import { Api, parseDemoAddress } from '../api.ts'
import { demoLog, parseLogLine } from '../demo-log.ts'
import { Failure } from '../failure.ts'
import { plainText } from '../plain-text.ts'

interface Flags {
  follow?: boolean
  offset: string
  json?: boolean
}

export const logsVerb = () =>
  new Command('logs')
    .description("a demo's log, from the first byte cloned to the last line it printed")
    .argument('<demo>', 'account/name')
    .option('-f, --follow', 'go on as lines come')
    .option('--offset <bytes>', 'start there', '0')
    .option('--json', 'print each line as JSON: {at, source, text}')
    .action(async (demo: string, flags: Flags) => {
      const offset = Number(flags.offset)
      if (!/^[0-9]{1,15}$/.test(flags.offset))
        throw new Failure(`--offset: expected a whole number of bytes from 0, got ${flags.offset}`)
      const api = await Api.open()
      const interrupted = new AbortController()
      process.once('SIGINT', () => interrupted.abort())
      const lines = demoLog(api, parseDemoAddress(demo), {
        offset,
        follow: flags.follow ?? false,
        signal: interrupted.signal,
      })
      for await (const line of lines) console.log(flags.json ? JSON.stringify(parseLogLine(line)) : plainText(line))
    })
