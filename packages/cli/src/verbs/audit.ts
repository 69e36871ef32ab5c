import { join } from 'node:path'
import type { AuditEntry } from '@origami/protocol/control'
import { Command, InvalidArgumentError } from 'commander'
import { plainText } from '../plain-text.ts'
import { settingFlags } from '../settings/flags.ts'
import { table } from '../table.ts'

const flags = settingFlags(['data'])

/** Runs on the host of the web server, which may be running. */
export const auditVerb = () =>
  flags
    .addTo(new Command('audit').description('what was changed on this server, by whom and from where: newest first'))
    .option('--before <number>', 'what is older than the act of that number', wholeNumber)
    .option('--json', 'print JSON')
    .action(async (_flags, command: Command) => {
      const { before, json } = command.opts<{ before?: number; json?: boolean }>()
      const settings = await flags.read(command)
      const { readAuditLog } = await import('@origami/web')
      const page = await readAuditLog(join(settings.values.data, 'web'), before)
      if (json) console.log(JSON.stringify(page))
      else console.log(plainText(printed(page.entries)))
      if (!json && page.next !== undefined) console.log(`Older: origami audit --before ${page.next}`)
    })

function printed(entries: readonly AuditEntry[]): string {
  if (entries.length === 0) return 'Nothing was changed yet.'
  const rows = entries.map(({ seq, at, account, by, address, action, object, before, after, failure }) => [
    String(seq),
    at,
    account ?? '',
    by,
    address ?? '',
    action,
    object ?? '',
    failure ? `failed: ${failure}` : changed(before, after),
  ])
  return table(['', 'when', 'who', 'by', 'from', 'what', 'to', 'change'], rows)
}

function changed(before: AuditEntry['before'], after: AuditEntry['after']): string {
  if (!before && !after) return ''
  const [from, to] = [before, after].map((value) => (value ? JSON.stringify(value) : '')) as [string, string]
  return from && to ? `${from} -> ${to}` : from || to
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('expected the number of an act, such as 120')
  return Number(text)
}
