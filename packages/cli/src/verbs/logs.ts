import { Command } from 'commander'
import { Api, demoAddress } from '../api.ts'

export const logs = () =>
  new Command('logs')
    .description("a demo's log, from the first byte cloned to the last line it printed")
    .argument('<demo>', 'account/name')
    .option('-f, --follow', 'go on as lines come')
    .option('--offset <bytes>', 'start there', '0')
    .action(async (demo: string, given: { follow?: boolean; offset: string }) => {
      const api = await Api.open()
      const query = new URLSearchParams({ offset: given.offset, ...(given.follow ? { follow: '1' } : {}) })
      const interrupted = new AbortController()
      process.once('SIGINT', () => interrupted.abort())
      const response = await api.send('GET', `/-/api/demos${demoAddress(demo)}/logs?${query}`, undefined, interrupted.signal)
      try {
        for await (const part of response.body ?? []) process.stdout.write(part)
      } catch (error) {
        if (!interrupted.signal.aborted) throw error
      }
    })
