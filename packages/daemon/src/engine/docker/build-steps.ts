import { type FSWatcher, watch } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { logger } from '@origami/host/logger'

const log = logger('engine')

/** A folder of cgroups, and what is written into each cgroup in it. */
export interface StepLimit {
  readonly folder: string
  readonly file: string
  readonly value: string
}

/**
 * Limits each step of a build (`RUN`), whose cgroup Docker makes when the step begins, so that one of them leaves the
 * others what they need. A step runs for a few milliseconds before it is limited; the limits of all builds together
 * hold from the start.
 */
export class BuildSteps {
  private limits: readonly StepLimit[] = []
  private watchers: FSWatcher[] = []
  private builds = 0

  /** Limits the steps that begin while the work goes on. */
  async during<Result>(limits: readonly StepLimit[], work: () => Promise<Result>): Promise<Result> {
    this.limits = limits
    this.builds += 1
    if (this.builds === 1) await this.open()
    try {
      return await work()
    } finally {
      this.builds -= 1
      if (this.builds === 0) this.close()
    }
  }

  private async open(): Promise<void> {
    for (const limit of this.limits)
      try {
        const watcher = watch(limit.folder, (_event, name) => {
          if (name !== null) void this.limit(limit, name)
        })
        watcher.on('error', (error) => log.error('new steps of builds are not seen, and not limited', error))
        this.watchers.push(watcher)
        // A step may have begun before the watch.
        for (const entry of await readdir(limit.folder, { withFileTypes: true }))
          if (entry.isDirectory()) await this.limit(limit, entry.name)
      } catch (error) {
        log.error(`the steps of builds in ${limit.folder} are not limited`, error)
      }
  }

  private close(): void {
    for (const watcher of this.watchers) watcher.close()
    this.watchers = []
  }

  /** Never rejects. */
  private async limit({ folder, file, value }: StepLimit, name: string): Promise<void> {
    try {
      await writeFile(join(folder, name, file), value, { flag: 'r+' })
    } catch (error) {
      // A step that ended has no cgroup any more, and a change of a file is none.
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT' && code !== 'ENOTDIR') log.error(`step ${name} of a build is not limited`, error)
    }
  }
}
