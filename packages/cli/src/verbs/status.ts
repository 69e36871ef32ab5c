import type { DemoPage } from '@origami/protocol/control'
import { Command } from 'commander'
import { Api, parseDemoAddress } from '../api.ts'
import { plainText } from '../plain-text.ts'
import { table } from '../table.ts'

export const statusVerb = () =>
  new Command('status')
    .description('the state of one demo, or of all of yours')
    .argument('[demo]', 'account/name')
    .option('--json', 'print JSON')
    .action(async (demo: string | undefined, { json }: { json?: boolean }) => {
      const api = await Api.open()
      if (demo === undefined) {
        const { demos } = await api.call('GET /-/api/mine', {})
        const rows = demos.map((card) => [
          card.address,
          card.state,
          String(card.runs),
          card.public ? 'public' : 'unlisted',
        ])
        console.log(json ? JSON.stringify(demos) : table(['demo', 'state', 'runs', 'seen by'], rows))
        return
      }
      const page = await api.call('GET /-/api/demos/:account/:name', { params: parseDemoAddress(demo) })
      console.log(json ? JSON.stringify(page) : plainText(summary(page)))
    })

function summary(page: DemoPage): string {
  const newest = page.detail?.newest
  const lines = [
    `${page.address}  ${page.state}${page.commit ? `  ${page.commit.slice(0, 7)}` : ''}  ${page.runs} runs`,
  ]
  if (newest && newest.id !== page.detail?.serving)
    lines.push(`newest deployment: ${newest.state}${newest.reason ? ` (${newest.reason})` : ''}`)
  if (page.detail) lines.push(`${page.detail.running} running, ${page.detail.waiting} waiting`)
  return lines.join('\n')
}
