import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Key, type KeyName, keys, standardOf } from '../packages/cli/src/settings/keys.ts'
import { limits } from '../packages/cli/src/settings/limits.ts'
import { variableOf } from '../packages/cli/src/settings/read-settings.ts'

const document = join(import.meta.dirname, '../docs/operator.md')

/** The text of docs/operator.md with its tables of settings and limits made from the code. */
export function withTables(text: string): string {
  const names = Object.keys(keys) as KeyName[]
  const settings = names.map((name) => {
    const { meaning, flag, live, flagOf }: Key<unknown> = keys[name]
    const shown = name === 'data' ? '~/.origami' : standardOf(name)
    return [
      `\`${name}\``,
      `\`${flag}\``,
      `\`${variableOf(name)}\``,
      shown ? `\`${shown}\`` : '',
      live ? 'yes' : '',
      flagOf ? `${meaning} (the flag is that of \`origami ${flagOf}\`)` : meaning,
    ]
  })
  const rows = limits.map(({ name, kind, default: standard, meaning }) => [
    `\`${name}\``,
    kind.write(standard) === '' ? '' : `\`${kind.write(standard)}\``,
    kind.expected,
    meaning,
  ])
  return replaced(
    replaced(
      text,
      'settings',
      drawn([['setting', 'flag', 'environment', 'default', 'SIGHUP', 'what it is'], ...settings]),
    ),
    'limits',
    drawn([['limit', 'default', 'written as', 'what it limits'], ...rows]),
  )
}

function replaced(text: string, name: string, table: string): string {
  const [start, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`]
  const [from, to] = [text.indexOf(start), text.indexOf(end)]
  if (from < 0 || to < from)
    throw new Error(`docs/operator.md has no place for the table of ${name}: ${start.trim()} … ${end}`)
  return `${text.slice(0, from + start.length)}\n${table}\n\n${text.slice(to)}`
}

function drawn([head = [], ...body]: string[][]): string {
  const cells = [head, head.map(() => '---'), ...body].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')))
  return cells.map((row) => `| ${row.join(' | ')} |`).join('\n')
}

if (import.meta.main) {
  if (process.argv.includes('--help'))
    console.log('npm run limits-table\nWrites the tables of docs/operator.md anew from the code.')
  else await writeFile(document, withTables(await readFile(document, 'utf8')))
}
