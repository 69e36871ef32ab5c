import { setTimeout } from 'node:timers/promises'
import type { Notices } from '@origami/host/notices'
import type { Slices } from '@origami/host/slices'
import { Gone } from '@origami/protocol/demo'
import type { WebLimits } from '../config.ts'
import type { DaemonClient } from '../daemon-client.ts'
import type { Demos } from '../store/demos.ts'
import type { Db } from '../store/open.ts'
import { keepSetting, setting } from '../store/settings.ts'
import type { LatestDetails } from './latest-details.ts'

export interface FollowParts {
  readonly db: Db
  readonly daemon: DaemonClient
  readonly demos: Demos
  readonly details: LatestDetails
  readonly changed: Notices<string>
  readonly limits: WebLimits
  readonly slices: Slices
  readonly log: (message: string, error?: unknown) => void
}

const backOffMs = [200, 500, 1000, 2000, 5000]

/**
 * Follows the daemon's event stream from the last known event, so that changes are known even when one of the two was
 * away.
 */
export class FollowDaemon {
  private readonly parts: FollowParts
  private open = false

  constructor(parts: FollowParts) {
    this.parts = parts
  }

  /** Whether the event stream is open. Then the daemon is known to answer. */
  get connected(): boolean {
    return this.open
  }

  /** Works until the signal aborts. Pages are notified when the daemon goes away, and when it is back. */
  async work(signal: AbortSignal): Promise<void> {
    await Promise.all([this.follow(signal), this.count(signal)])
  }

  private async follow(signal: AbortSignal): Promise<void> {
    let failed = false
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await this.once(signal, () => {
          attempt = 0
          if (failed) this.parts.log('The daemon is followed again.')
          failed = false
          this.parts.changed.notifyAll()
        })
      } catch (error) {
        if (!signal.aborted) await this.lost(error)
        if (!signal.aborted && !failed) this.parts.log('The daemon cannot be followed; it is tried again.', error)
        failed = true
      } finally {
        this.open = false
      }
      // An aborted wait ends the loop by its condition.
      await setTimeout(backOffMs[Math.min(attempt, backOffMs.length - 1)], undefined, { signal }).catch(() => undefined)
    }
  }

  /** A broken network closes no connection, so after a silence all connections are closed. */
  private async lost(error: unknown): Promise<void> {
    const { daemon, changed, log } = this.parts
    this.open = false
    const isSilence = error instanceof Error && (error as NodeJS.ErrnoException).code === 'UND_ERR_BODY_TIMEOUT'
    if (isSilence)
      await daemon.reconnect().catch((cause: unknown) => log('The daemon cannot be connected to anew.', cause))
    changed.notifyAll()
  }

  private async once(signal: AbortSignal, opened: () => void): Promise<void> {
    const { db, daemon, demos } = this.parts
    const seq = Number((await setting(db, 'events')) ?? 0)
    const events = await daemon.events(seq, signal)
    this.open = true
    opened()
    // A deploy may have reached the daemon although its answer was lost.
    for (const { id } of await demos.undeployed()) await this.tryLearn(id)
    for await (const event of events) {
      await this.tryLearn(event.demo)
      await keepSetting(db, 'events', String(event.seq))
    }
  }

  /**
   * Reads one demo from the daemon. A failure does not stop the others. Throws Gone when the daemon is away. It will
   * report the demo again.
   */
  private async tryLearn(demo: string): Promise<void> {
    try {
      await this.learn(demo)
    } catch (error) {
      if (error instanceof Gone) throw error
      this.parts.log(`What the daemon says of demo ${demo} could not be kept.`, error)
    }
  }

  private async learn(demo: string): Promise<void> {
    const detail = await this.parts.details.ask(demo)
    if (detail) await this.parts.demos.keep(detail)
    this.parts.changed.notify(demo)
  }

  /**
   * Runs make no events. Their counts are read at intervals, for all demos together, so that page views need not write
   * them.
   */
  private async count(signal: AbortSignal): Promise<void> {
    const { demos, daemon, slices } = this.parts
    while (!signal.aborted) {
      // An aborted wait ends the loop, since the stream is closed then.
      await setTimeout(this.parts.limits.runsRoundMs, undefined, { signal }).catch(() => undefined)
      if (!this.open) continue
      try {
        await demos.keepRuns(await daemon.stats(), slices, signal)
      } catch (error) {
        if (!signal.aborted) this.parts.log('How often demos ran could not be asked; it is tried again.', error)
      }
    }
  }
}
