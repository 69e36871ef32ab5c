import type { DemoStats } from '@origami/protocol/control'
import { Command } from 'commander'
import { Api } from '../api.ts'
import { table } from '../table.ts'

export const statsVerb = () =>
  new Command('stats')
    .description("the daemon's row of each of your demos: user_id, container_id, instance_id, port, repolink, status")
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const api = await Api.open()
      const { demos } = await api.call('GET /-/api/mine', {})
      const pages = await Promise.all(demos.map((params) => api.call('GET /-/api/demos/:account/:name', { params })))
      const rows = pages.flatMap((page) => page.detail ?? [])
      console.log(json ? JSON.stringify(rows) : table(columns, rows.map(cells)))
    })

const columns = ['container_id', 'user_id', 'instance_id', 'port', 'repolink', 'status', 'waiting', 'runs']
const cells = (row: DemoStats): string[] => [
  row.container_id,
  row.user_id,
  row.instance_id?.slice(0, 12) ?? '-',
  String(row.port ?? '-'),
  row.repolink,
  row.status,
  String(row.waiting),
  String(row.runs),
]
