import { access, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { buildAll } from './build.ts'

const root = join(import.meta.dirname, '..')

/** Each check by the name that a failure shows. Layers and import cycles are rules of the linter. */
const checks: Record<string, () => Promise<string | undefined>> = {
  types: () => run('tsc', ['-p', '.']),
  'lint, format, layers': () => run('biome', ['ci', '--error-on-warnings', '.']),
  'nothing unused': () => run('knip', []),
  'size of the page': async () => {
    await buildAll({ quiet: true })
    return run('node', ['packages/demo-ui/budget.ts'])
  },
  'links in documents': brokenLinks,
  'lines of at most 120': longLines,
}

if (process.argv.includes('--help')) console.log(`npm run check\nRuns: ${Object.keys(checks).join(' · ')}.`)
else {
  for (const [name, check] of Object.entries(checks)) {
    const problem = await check()
    console.log(`${problem === undefined ? '✓' : '✗'} ${name}`)
    if (problem !== undefined) {
      console.log(problem)
      process.exitCode = 1
    }
  }
}

async function run(command: string, args: string[]): Promise<string | undefined> {
  const result = await execa(command, args, { cwd: root, preferLocal: true, all: true, reject: false })
  return result.exitCode === 0 ? undefined : result.all
}

/** Checks that every relative link in a tracked Markdown file leads to a file. */
async function brokenLinks(): Promise<string | undefined> {
  const { stdout } = await execa('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
    cwd: root,
  })
  const broken: string[] = []
  for (const file of stdout.split('\n').filter(Boolean)) {
    const text = await readFile(join(root, file), 'utf8')
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)|src="([^"]+)"/g)) {
      if (/^(https?:|#|mailto:)/.test(link) || link === '') continue
      const target = join(root, dirname(file), link.split('#')[0] ?? '')
      await access(target).catch(() => broken.push(`${file}: ${link}`))
    }
  }
  return broken.length === 0 ? undefined : broken.join('\n')
}

/**
 * Lines have at most 120 characters. A string, a template or a regular expression that cannot be split may be longer.
 * The formatter splits other code, and comments are split by hand.
 */
async function longLines(): Promise<string | undefined> {
  const { stdout } = await execa('git', ['ls-files', '*.ts', '*.tsx', '*.mjs', '*.py', '*.css'], { cwd: root })
  const long: string[] = []
  for (const file of stdout.split('\n').filter(Boolean)) {
    const lines = (await readFile(join(root, file), 'utf8')).split('\n')
    for (const [index, line] of lines.entries())
      if (line.length > 120 && (isComment(line) || !/['"`/]|\w+ text\b/.test(line))) long.push(`${file}:${index + 1}`)
  }
  return long.length === 0 ? undefined : `more than 120 wide:\n${long.join('\n')}`
}

function isComment(line: string): boolean {
  return /^\s*(\/\/|\/?\*|#)/.test(line) && !/biome-ignore/.test(line)
}
