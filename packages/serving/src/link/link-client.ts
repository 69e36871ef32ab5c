import type { Duplex } from 'node:stream'
import { Agent, type Dispatcher } from 'undici'
import { type Deadlines, defaultDeadlines } from '../client/deadlines.ts'
import { Link } from './link.ts'
import { linkProtocol } from './messages.ts'

export interface LinkClientOptions {
  /** Of the server: `https://daemon:6001`. */
  readonly origin: string
  readonly dispatcher?: Dispatcher | undefined
  readonly deadlines?: () => Partial<Deadlines>
  /** Opens a link to a server in the same process. */
  readonly within?: (() => Duplex) | undefined
}

/** How long a link that could not be opened is not tried again. Meanwhile HTTP is used. */
const retryMs = [1000, 5000, 60_000]
const connectMs = 5000

const direct = new Agent({ connect: { timeout: connectMs }, headersTimeout: 0, bodyTimeout: 0 })

/**
 * Opens a link to a server when it is needed: one connection on which every prediction is one message there, and its
 * events come back. A server of an earlier version has none.
 */
export class LinkClient implements Disposable {
  private readonly options: LinkClientOptions
  private link: Link | undefined
  private opening: Promise<Link | undefined> | undefined
  private failures = 0
  private notBefore = 0
  private isDisposed = false

  constructor(options: LinkClientOptions) {
    this.options = options
  }

  /** The link, if it is open. */
  get opened(): Link | undefined {
    return this.link?.closed === false ? this.link : undefined
  }

  /** Undefined: there is none now. Never rejects. */
  async open(): Promise<Link | undefined> {
    if (this.opened) return this.opened
    if (this.isDisposed || performance.now() < this.notBefore) return undefined
    this.opening ??= this.connect().finally(() => {
      this.opening = undefined
    })
    return this.opening
  }

  /** Ends the link once its calls have ended. No other is opened. */
  retire(): void {
    this.isDisposed = true
    this.link?.retire()
  }

  [Symbol.dispose](): void {
    this.isDisposed = true
    this.link?.close()
  }

  private async connect(): Promise<Link | undefined> {
    const { origin, dispatcher = direct, within } = this.options
    const asked = { origin, path: '/link', method: 'GET', protocol: linkProtocol }
    try {
      const socket = within
        ? within()
        : (await dispatcher.upgrade({ ...asked, signal: AbortSignal.timeout(connectMs) })).socket
      if (this.isDisposed) return void socket.destroy()
      this.failures = 0
      this.link = new Link(socket, () => ({ ...defaultDeadlines, ...this.options.deadlines?.() }))
      return this.link
    } catch {
      // Whoever is not there, or has no link, is called over HTTP, which says what is wrong.
      this.notBefore = performance.now() + (retryMs[Math.min(this.failures, retryMs.length - 1)] ?? 0)
      this.failures += 1
      return undefined
    }
  }
}
