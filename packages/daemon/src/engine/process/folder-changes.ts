import { type FSWatcher, watch } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Notice } from '@origami/host/notices'

/** How often a folder is looked at that cannot be watched: it is gone, or the host watches too many. */
const pollMs = 250

/** Tells that something in folders changed. It says "look again", and may say so without a reason. */
export class FolderChanges implements Disposable {
  private readonly concerns: (name: string, folder: string) => boolean
  private readonly watchers = new Map<string, FSWatcher>()
  private readonly changed = new Notice()
  private isWhole = true
  private count = 0

  /** `concerns`: whether a change of what has this name in one of the folders counts. */
  constructor(concerns: (name: string, folder: string) => boolean = () => true) {
    this.concerns = concerns
  }

  /**
   * Watches these folders and no others from now on. Returns how many changes there were, for `after`. Call it before
   * you look, so that no change is missed in between.
   */
  watch(folders: readonly string[]): number {
    const wanted = new Set(folders)
    for (const folder of this.watchers.keys()) if (!wanted.has(folder)) this.leave(folder)
    for (const folder of wanted) this.enter(folder)
    this.isWhole = this.watchers.size === wanted.size
    return this.count
  }

  /** Resolves when there were more than `count` changes, or the signal aborts. */
  async after(count: number, signal: AbortSignal): Promise<void> {
    if (this.count !== count) return
    if (this.isWhole) await this.changed.next(signal)
    // An aborted wait rejects, and the caller looks at its signal.
    else await setTimeout(pollMs, undefined, { signal }).catch(() => undefined)
  }

  [Symbol.dispose](): void {
    for (const folder of this.watchers.keys()) this.leave(folder)
  }

  private enter(folder: string): void {
    if (this.watchers.has(folder)) return
    try {
      const watcher = watch(folder, (type, name) => {
        // A folder that is made anew under its name is another one.
        if (type === 'rename' && name === basename(folder)) this.leave(folder)
        else if (name !== null && !this.concerns(name, folder)) return
        this.notify()
      })
      watcher.once('error', () => {
        this.leave(folder)
        this.notify()
      })
      this.watchers.set(folder, watcher)
    } catch {
      // It is gone, or no more folders can be watched: `after` looks again in a moment.
    }
  }

  private leave(folder: string): void {
    this.watchers.get(folder)?.close()
    this.watchers.delete(folder)
  }

  private notify(): void {
    this.count += 1
    this.changed.notify()
  }
}
