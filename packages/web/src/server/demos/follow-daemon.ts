import { setTimeout } from 'node:timers/promises'
import type { Notice } from '@origami/serving'
import type { DaemonClient } from '../daemon-client.ts'
import { type Db, keepSetting, setting } from '../store/open.ts'
import type { Demos } from './demos.ts'

const backOffMs = [200, 500, 1000, 2000, 5000]

/** Holds the daemon's events open, from where it last was: so that what happened while one of the two was away is known afterwards. */
export class FollowDaemon {
  private readonly db: Db
  private readonly daemon: DaemonClient
  private readonly demos: Demos
  private readonly changed: Notice

  constructor(db: Db, daemon: DaemonClient, demos: Demos, changed: Notice) {
    this.db = db
    this.daemon = daemon
    this.demos = demos
    this.changed = changed
  }

  /** Until the signal aborts. Pages are told when the daemon goes away, and when it is back. */
  async work(signal: AbortSignal): Promise<void> {
    let away = false
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        const seq = Number((await setting(this.db, 'events')) ?? 0)
        const opened = () => {
          if (away) console.error('The daemon answers again.')
          away = false
          attempt = 0
          this.changed.notify()
        }
        for await (const event of this.daemon.events(seq, signal, opened)) {
          await this.learn(event.demo)
          await keepSetting(this.db, 'events', String(event.seq))
        }
      } catch (error) {
        if (signal.aborted) return
        await this.lost(error)
        if (!away) console.error(`The daemon is away: ${reason(error)}. It is tried again every few seconds.`)
        away = true
      }
      // An aborted wait ends the loop by its condition.
      await setTimeout(backOffMs[Math.min(attempt, backOffMs.length - 1)], undefined, { signal }).catch(() => undefined)
    }
  }

  /** A cut link ends no connection: after silence none of them is believed any more. */
  private async lost(error: unknown): Promise<void> {
    const isSilence = error instanceof Error && (error as NodeJS.ErrnoException).code === 'UND_ERR_BODY_TIMEOUT'
    if (isSilence) await this.daemon.reconnect().catch((cause: unknown) => console.error('cannot connect anew', cause))
    this.changed.notify()
  }

  private async learn(demo: string): Promise<void> {
    const detail = await this.daemon.detail(demo)
    if (detail) await this.demos.keep(detail)
    this.changed.notify()
  }
}

const reason = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
