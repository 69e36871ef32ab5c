import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type FakeGithub, startFakeGithub } from './fake-github/fake-github.ts'
import { Person } from './person.ts'

const root = join(import.meta.dirname, '..')
const patience = 240_000

interface Block {
  readonly language: string
  readonly lines: readonly string[]
}

interface Running {
  readonly line: string
  readonly child: ChildProcess
  readonly exited: Promise<unknown>
  printed: string
}

/**
 * Somebody who types what a document says, in a terminal on a machine with Node, git and Python: an empty home, a
 * clone, and one folder at a time.
 */
class Reader {
  readonly home: string
  readonly clone: string
  readonly running: Running[] = []
  private folder = ''
  private env: Record<string, string>

  constructor(home: string, github: FakeGithub) {
    this.home = home
    this.clone = join(home, 'origami')
    this.env = { ...machine(), HOME: home, ORIGAMI_FORGES: join(home, 'forges.json') }
    expect(github.forge.host).toBe('github.com')
  }

  /** Types every line of a document's `sh` blocks, and writes the files that its other blocks name. */
  async follow(document: string): Promise<void> {
    this.folder = this.clone
    for (const { language, lines } of blocksOf(await readFile(join(this.clone, document), 'utf8'))) {
      const name = /^# ([\w.]+\.py)$/.exec(lines[0] ?? '')?.[1]
      if (language === 'python' && name) await writeFile(join(this.folder, name), `${lines.join('\n')}\n`)
      if (language === 'sh')
        await this.typeBlock(lines.filter((line) => line.trim() !== '' && !/npm test/.test(withoutComment(line))))
    }
  }

  /** The last line of a block may go on in its terminal; one before it is ended with Ctrl-C when the next is typed. */
  private async typeBlock(lines: readonly string[]): Promise<void> {
    for (const [index, line] of lines.entries()) {
      if (!/npm start|origami serve/.test(withoutComment(line))) await this.type(line)
      else {
        const serving = await this.serve(line)
        if (index < lines.length - 1) await this.interrupt(serving)
      }
    }
  }

  private async type(line: string): Promise<void> {
    const asks = /origami login/.test(withoutComment(line))
    const running = await this.start(line, asks)
    if (asks) await this.confirm(running)
    const [code] = (await running.exited) as [number | null]
    expect(code, `${line}\n${running.printed}`).toBe(0)
    await this.standWhereItLeft()
  }

  private async serve(line: string): Promise<Running> {
    const running = await this.start(line, false)
    this.running.push(running)
    const address = await this.says(running, /(?:is at|Origami is at) (http:\/\/127\.0\.0\.1:\d+)/)
    expect((await fetch(address, { headers: { accept: 'text/html' } })).status).toBe(200)
    return running
  }

  /** Ends it as Ctrl-C does. */
  async interrupt({ line, child, exited, printed }: Running): Promise<void> {
    this.running.splice(
      this.running.findIndex((one) => one.child === child),
      1,
    )
    process.kill(-(child.pid as number), 'SIGINT')
    const [code, signal] = (await exited) as [number | null, string | null]
    expect([0, 130, 'SIGINT'], `${line}\n${printed}`).toContain(code ?? signal)
  }

  /** What a line printed for the first group of a pattern, once it did. */
  async says(running: Running, pattern: RegExp): Promise<string> {
    const found = () => pattern.exec(running.printed)?.[1]
    await vi.waitUntil(() => found() !== undefined || hasEnded(running.child), { timeout: patience, interval: 100 })
    expect(found(), `${running.line}\n${running.printed}`).toBeDefined()
    return found() as string
  }

  /** As the owner, in a browser: opens the link that `npm start` printed, and allows the code. */
  private async confirm(login: Running): Promise<void> {
    const code = await this.says(login, /\/-\/device\?code=([\w-]+)/)
    const start = this.running.find(({ line }) => line.includes('npm start'))
    if (!start) throw new Error('nobody typed npm start')
    const owner = new Person(await this.says(start, /Origami is at (\S+)/))
    const secret = await this.says(start, /Sign in as its owner, once: \S+#(\S+)/)
    await owner.session()
    await owner.call('POST /-/api/session/link', { body: { secret } })
    await owner.call('POST /-/api/device/answer', { body: { code, allow: true } })
  }

  private async start(line: string, terminal: boolean): Promise<Running> {
    const script = join(this.home, '.line.sh')
    const leave = 'status=$?\npwd > "$HOME/.line.cwd"\nenv -0 > "$HOME/.line.env"\nexit $status\n'
    await writeFile(script, `${line}\n${leave}`)
    const [program, ...args] = terminal ? ['script', '-qec', `sh ${script}`, '/dev/null'] : ['sh', script]
    const stdio = [terminal ? ('pipe' as const) : ('ignore' as const), 'pipe' as const, 'pipe' as const]
    const child = spawn(program as string, args, { cwd: this.folder, env: this.env, stdio, detached: true })
    const running = { line, child, exited: once(child, 'close'), printed: '' }
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        running.printed += text
      })
    return running
  }

  private async standWhereItLeft(): Promise<void> {
    this.folder = (await readFile(join(this.home, '.line.cwd'), 'utf8')).trimEnd()
    const entries = (await readFile(join(this.home, '.line.env'), 'utf8'))
      .split('\0')
      .filter((entry) => entry.includes('='))
    this.env = Object.fromEntries(
      entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
    )
  }
}

/** This machine's environment, without what `npm test` added to it and without what signs in anywhere. */
function machine(): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_(?!config_(cache|registry|cafile|proxy|https_proxy)$)|INIT_CWD|NODE$|NODE_COMPILE_CACHE$|VITEST|NODE_ENV|TEST|ORIGAMI_|VIRTUAL_ENV)/.test(
        name,
      ),
  )
  const path = (process.env.PATH ?? '').split(':').filter((folder) => !folder.includes('node_modules'))
  return { ...(Object.fromEntries(inherited) as Record<string, string>), PATH: path.join(':') }
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null
const withoutComment = (line: string): string => line.replace(/\s#.*$/, '')

function blocksOf(markdown: string): Block[] {
  const blocks = markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)
  return Array.from(blocks, ([, language = '', text = '']) => ({ language, lines: text.trimEnd().split('\n') }))
}

/** What a clone of this working tree has: what is tracked, and what will be. */
async function cloneTo(folder: string): Promise<void> {
  const { stdout } = await execa('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root })
  const copied = stdout
    .split('\0')
    .filter(Boolean)
    .map(async (path) => {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await cp(join(root, path), join(folder, path)).catch((error: NodeJS.ErrnoException) => {
        // The file was removed here and that is not committed yet.
        if (error.code !== 'ENOENT') throw error
      })
    })
  await Promise.all(copied)
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const answer = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'close').then(() => false),
  ]).catch(() => false)
  socket.destroy()
  return answer
}

let home: string
let github: FakeGithub
let reader: Reader

beforeAll(async () => {
  // They are printed, so they are what is used: whoever has them now is waited for.
  await vi.waitFor(
    async () => expect([await answers(8000), await answers(6001), await answers(6060)]).toEqual([false, false, false]),
    {
      timeout: 100_000,
      interval: 1000,
    },
  )
  home = await mkdtemp(join(tmpdir(), 'origami-reader-'))
  github = await startFakeGithub({ host: 'github.com' })
  for (const name of ['your-model', 'night-sky']) await github.repo('you', name, { private: false })
  const address = (github.forge.git as string).replace('http://', `http://you:${github.token('you')}@`)
  await writeFile(
    join(home, '.gitconfig'),
    `[user]\nname = You\nemail = you@example.org\n[url "${address}/"]\ninsteadOf = https://github.com/\n`,
  )
  await writeFile(join(home, 'forges.json'), JSON.stringify([github.forge]))
  reader = new Reader(home, github)
  await cloneTo(reader.clone)
})

afterAll(async () => {
  for (const running of [...(reader?.running ?? [])]) if (!hasEnded(running.child)) await reader.interrupt(running)
  await github?.[Symbol.asyncDispose]()
  await rm(home, { recursive: true, force: true })
})

test('README.md and docs/author.md, typed as printed, lead from nothing to a demo of one’s own', async () => {
  await reader.follow('README.md')
  await reader.follow('docs/author.md')
  const start = reader.running.find(({ line }) => line.includes('npm start'))
  if (!start) throw new Error('npm start has ended')
  const visitor = new Person(await reader.says(start, /Origami is at (\S+)/))
  const { id } = await visitor.submit('/owner/your-model', { review: 'lovely' })
  expect(await visitor.prediction('/owner/your-model', id)).toMatchObject({
    status: 'succeeded',
    output: { happy: 0.9, sad: 0.1 },
  })
  expect(
    await visitor.call('GET /-/api/demos/:account/:name', { params: { account: 'owner', name: 'night-sky' } }),
  ).toMatchObject({ title: 'Night sky', state: 'running' })
  await reader.says(start, /(A demo of your own, in another terminal)/)
  for (const running of [...reader.running]) await reader.interrupt(running)
}, 420_000)
