import { createHash } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { ElsewhereInspection, newElsewhere } from '@origami/protocol/control'
import { demoSchema, health } from '@origami/protocol/demo'
import { fetchPublic, type Notice } from '@origami/serving'
import { z } from 'zod'
import { Refused } from '../accounts/who.ts'
import type { AccountRow } from '../store/open.ts'
import type { Demos, Owned } from './demos.ts'

const betweenRoundsMs = 60_000
const maxBytes = 1024 ** 2
const index = z.object({ origami: z.object({ api: z.literal(1) }) })

/** Demos that run on somebody's own server: checked, listed and linked, never controlled. */
export class Elsewhere {
  private readonly demos: Demos
  private readonly networks: readonly string[]

  /** `networks`: CIDR of private ones that may be asked, besides public addresses. */
  constructor(demos: Demos, networks: readonly string[]) {
    this.demos = demos
    this.networks = networks
  }

  /** Asks a URL whether a demo of ours answers there, and what it is. Throws Refused with what was expected. */
  async inspect(link: string): Promise<ElsewhereInspection> {
    const url = parseUrl(link)
    const ask = async <T>(path: string, shape: z.ZodType<T>): Promise<T> =>
      shape.parse(JSON.parse(await this.text(new URL(path, url))))
    try {
      await ask('./', index)
      const { status } = await ask('health-check', health)
      if (status === 'SETUP_FAILED') throw new Error('its setup failed')
      const { title, description, inputs } = await ask('schema', demoSchema)
      return { url: url.href, name: nameFrom(title, url), title, description, inputs: inputs.map(({ label }) => label) }
    } catch (error) {
      throw new Refused(422, `Expected a demo that answers at ${url.href}: ${reasonOf(error)}.`)
    }
  }

  /** Lists one. Throws Refused. */
  async create(account: AccountRow, asked: z.infer<typeof newElsewhere>): Promise<Owned> {
    const { url, title, description, name: suggested } = await this.inspect(asked.url)
    const id = createHash('md5').update(account.id).update(url).digest('hex')
    const known = await this.demos.byId(id)
    if (known) return known
    const name = asked.name ?? suggested
    if (await this.demos.at(account.handle, name))
      throw new Refused(409, `You have a demo called ${name} already; give this one another name.`)
    const isPublic = (asked.public ?? true) ? 1 : 0
    await this.demos.add(account, {
      id,
      name,
      link: url,
      url,
      public: isPublic,
      private: 0,
      state: 'elsewhere',
      title,
      description,
    })
    return (await this.demos.byId(id)) as Owned
  }

  /** Asks every listed one now and then, until the signal aborts. */
  async watch(changed: Notice, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const news = await Promise.all((await this.demos.elsewhere()).map((demo) => this.check(demo)))
      if (news.includes(true)) changed.notify()
      await setTimeout(betweenRoundsMs, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Asks one. True: something about it is new. */
  async check(demo: Owned): Promise<boolean> {
    const found = await this.inspect(demo.url ?? '').catch(() => undefined)
    const now = found
      ? { state: 'elsewhere' as const, title: found.title, description: found.description }
      : { state: 'unreachable' as const, title: demo.title, description: demo.description }
    if (now.state === demo.state && now.title === demo.title && now.description === demo.description) return false
    await this.demos.change(demo.id, now)
    return true
  }

  private async text(url: URL): Promise<string> {
    const { bytes } = await fetchPublic(url, this.networks)
    const parts: Uint8Array[] = []
    let size = 0
    for await (const part of bytes) {
      size += part.length
      if (size > maxBytes) throw new Error(`${url.pathname} is larger than ${maxBytes} bytes`)
      parts.push(part)
    }
    return Buffer.concat(parts).toString('utf8')
  }
}

function parseUrl(link: string): URL {
  const url = URL.canParse(link.trim()) ? new URL(link.trim()) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash)
    throw new Refused(422, 'Expected the address of a demo, such as https://demo.example.org/')
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError || error instanceof SyntaxError) return 'what answers there is no demo of Origami'
  const { message, code } = error as NodeJS.ErrnoException
  return code ? `it could not be reached (${code})` : message.replace(/\.$/, '')
}

const nameFrom = (title: string, url: URL): string =>
  title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 60) || url.hostname.replaceAll(/[^a-z0-9]+/g, '-')
