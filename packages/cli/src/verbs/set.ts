import { Command } from 'commander'
import { Api, parseDemoAddress } from '../api.ts'
import { Failure } from '../failure.ts'

interface Options {
  readonly crossOrigin?: boolean
  readonly json?: boolean
}

export const setVerb = () =>
  new Command('set')
    .description('change what a demo is set to')
    .argument('<demo>', 'account/name')
    .option('--cross-origin', 'let pages of other sites run it, where it is public (the default)')
    .option('--no-cross-origin', 'keep pages of other sites from running it; programs still can')
    .option('--json', 'print JSON')
    .action(async (demo: string, { crossOrigin, json }: Options) => {
      const params = parseDemoAddress(demo)
      if (crossOrigin === undefined) throw new Failure('expected what to set: --cross-origin or --no-cross-origin')
      const api = await Api.open()
      const body = { cross_origin: crossOrigin }
      const { address, cross_origin } = await api.call('PATCH /-/api/demos/:account/:name', { params, body })
      if (json) console.log(JSON.stringify({ address, cross_origin }))
      else console.log(`${address} ${cross_origin ? 'can be run by' : 'is closed to'} pages of other sites`)
    })
