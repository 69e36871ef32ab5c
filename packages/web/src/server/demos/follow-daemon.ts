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

  /** Until the signal aborts. */
  async work(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        const seq = Number((await setting(this.db, 'events')) ?? 0)
        for await (const event of this.daemon.events(seq, signal)) {
          attempt = 0
          await this.learn(event.demo)
          await keepSetting(this.db, 'events', String(event.seq))
        }
      } catch (error) {
        if (!signal.aborted && attempt === backOffMs.length) console.error('the daemon cannot be followed', error)
      }
      await setTimeout(backOffMs[Math.min(attempt, backOffMs.length - 1)], undefined, { signal }).catch(() => undefined)
    }
  }

  private async learn(demo: string): Promise<void> {
    const detail = await this.daemon.detail(demo)
    if (detail) await this.demos.keep(detail)
    this.changed.notify()
  }
}
