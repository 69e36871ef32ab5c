import { setTimeout } from 'node:timers/promises'
import type { Notices } from '@origami/host/notices'
import type { ElsewhereInspection, newElsewhere } from '@origami/protocol/control'
import { demoSchema, health } from '@origami/protocol/demo'
import { fetchPublic } from '@origami/serving'
import PQueue from 'p-queue'
import { z } from 'zod'
import { Refused } from '../accounts/who.ts'
import type { WebLimits } from '../config.ts'
import type { Account } from '../store/accounts.ts'
import type { Demos, Owned } from '../store/demos.ts'
import { demoIdOf } from './demo-id.ts'
import { nameTaken } from './deploys.ts'

const backOffMs = [500, 2000, 10_000, 60_000]
const index = z.object({ origami: z.object({ api: z.literal(1) }) })

interface Watching {
  /** Notified of each demo whose state or texts changed. */
  readonly changed: Notices<string>
  readonly log: (message: string, error?: unknown) => void
}

/** Demos that run on somebody's own server. They are checked, listed and linked, but not controlled. */
export class Elsewhere {
  private readonly demos: Demos
  private readonly networks: readonly string[]
  private readonly limits: WebLimits

  /** `networks` are private networks (CIDR) that may be called, besides public addresses. */
  constructor(demos: Demos, networks: readonly string[], limits: WebLimits) {
    this.limits = limits
    this.demos = demos
    this.networks = networks
  }

  /** Asks a URL whether it is a demo of ours, and which. Throws Refused that says what was expected. */
  async inspect(link: string, signal?: AbortSignal): Promise<ElsewhereInspection> {
    const url = parseUrl(link)
    const { elsewhereLookMs } = this.limits
    const late = AbortSignal.timeout(elsewhereLookMs)
    const within = signal ? AbortSignal.any([signal, late]) : late
    const ask = async <T>(path: string, shape: z.ZodType<T>): Promise<T> =>
      shape.parse(JSON.parse(await this.text(new URL(path, url), within)))
    try {
      await ask('./', index)
      const { status } = await ask('health-check', health)
      if (status === 'SETUP_FAILED') throw new Error('its setup failed')
      const { title, description, inputs } = await ask('schema', demoSchema)
      return { url: url.href, name: nameFrom(title, url), title, description, inputs: inputs.map(({ label }) => label) }
    } catch (error) {
      const why = late.aborted ? `its answers took longer than ${elsewhereLookMs / 1000} s` : reasonOf(error)
      throw new Refused(422, `Expected a demo that answers at ${url.href}: ${why}.`)
    }
  }

  /** Lists a demo under the requested name, or returns the one that is listed already. Throws Refused. */
  async create(account: Account, asked: z.infer<typeof newElsewhere>): Promise<{ demo: Owned; made: boolean }> {
    const { url, title, description, name: suggested } = await this.inspect(asked.url)
    const id = demoIdOf(account.id, url)
    const name = asked.name ?? suggested
    const isPublic = asked.public ?? true
    const row = {
      id,
      name,
      link: url,
      url,
      public: isPublic,
      private: false,
      state: 'elsewhere' as const,
      title,
      description,
    }
    const made = await this.demos.add(account, row)
    const demo = await this.demos.byId(id)
    const renamed = made || !asked.name || !demo || (await this.demos.rename(demo, asked.name))
    const now = await this.demos.byId(id)
    if (!now || !renamed) throw nameTaken(name)
    return { demo: now, made }
  }

  /**
   * Checks every listed demo at intervals, until the signal aborts. The next round comes sooner after a failure on this
   * side.
   */
  async watch({ changed, log }: Watching, signal: AbortSignal): Promise<void> {
    for (let failed = 0; !signal.aborted; ) {
      try {
        await this.round(changed, signal)
        failed = 0
      } catch (error) {
        log('Demos that run elsewhere could not be looked after; it is tried again.', error)
        failed += 1
      }
      const wait = failed === 0 ? this.limits.elsewhereRoundMs : backOffMs[Math.min(failed, backOffMs.length) - 1]
      // An aborted wait ends the loop by its condition.
      await setTimeout(wait, undefined, { signal }).catch(() => undefined)
    }
  }

  /**
   * Checks each demo even if others fail. Those that did not answer last time come last, so that they hold up only each
   * other. Throws the failures at the end.
   */
  private async round(changed: Notices<string>, signal: AbortSignal): Promise<void> {
    const queue = new PQueue({ concurrency: this.limits.elsewhereAtOnce })
    const look = async (demo: Owned) => {
      if (await this.check(demo, signal)) changed.notify(demo.id)
    }
    const all = await this.demos.elsewhere()
    const isAway = ({ state }: Owned) => state === 'unreachable'
    const looks = [...all.filter((demo) => !isAway(demo)), ...all.filter(isAway)].map((demo) =>
      queue.add(() => look(demo)),
    )
    const failures = (await Promise.allSettled(looks)).filter((look) => look.status === 'rejected')
    if (failures.length > 0) throw new AggregateError(failures.map(({ reason }) => reason as unknown))
  }

  /** Checks one demo. True: something about it changed. */
  async check(demo: Owned, signal?: AbortSignal): Promise<boolean> {
    // Any failure means that the demo cannot be reached. Its owner sees that as its state.
    const found = signal?.aborted ? undefined : await this.inspect(demo.url ?? '', signal).catch(() => undefined)
    // An aborted check says nothing about the demo.
    if (signal?.aborted) return false
    const now = found
      ? { state: 'elsewhere' as const, title: found.title, description: found.description }
      : { state: 'unreachable' as const, title: demo.title, description: demo.description }
    if (now.state === demo.state && now.title === demo.title && now.description === demo.description) return false
    await this.demos.change(demo.id, now)
    return true
  }

  private async text(url: URL, signal: AbortSignal | undefined): Promise<string> {
    const { elsewhereAnswerMs: deadlineMs, elsewhereAnswerBytes: maxBytes } = this.limits
    const { bytes } = await fetchPublic(url, this.networks, { deadlineMs, signal })
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
