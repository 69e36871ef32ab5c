import { Changes } from '../../src/changes.ts'
import { defaultLimits } from '../../src/config.ts'
import type { DeployParts } from '../../src/deploy/parts.ts'
import { StartSlots } from '../../src/deploy/start-slots.ts'
import { Tasks } from '../../src/deploy/tasks.ts'
import { Commits } from '../../src/store/commits.ts'

/** The parts of a deploy over a store in memory. Only what `overrides` contains is built or run. */
export function deployParts(
  db: DeployParts['db'],
  overrides: Partial<Record<keyof DeployParts, unknown>> = {},
): DeployParts {
  const parts = {
    db,
    commits: new Commits(db),
    engine: { instancesOf: async () => [], images: async () => [], list: async () => [] },
    logs: { append: async () => {}, tail: async () => [] },
    tasks: new Tasks(new AbortController().signal),
    slots: new StartSlots(defaultLimits),
    space: { lackFor: async () => undefined },
    builds: { during: (signal: AbortSignal, work: (signal: AbortSignal) => Promise<unknown>) => work(signal) },
    limits: defaultLimits,
    forges: [{ host: 'folder.test', kind: 'folder', git: 'file:///nowhere' }],
    work: '/nonexistent',
    now: () => new Date().toISOString(),
    clock: Date.now,
    lookAfter: () => {},
    changed: new Changes(),
  }
  return { ...parts, ...overrides } as unknown as DeployParts
}
