import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * The files that take longest, as measured: the longest first. A long one that begins last would run alone at the end.
 */
const longest = [
  'tests/readme.python.test.ts',
  'tests/cli.test.ts',
  'tests/daemon/upkeep.test.ts',
  'tests/pages.browser.test.ts',
  'tests/two-hosts.netns.test.ts',
  'packages/daemon/test/engine/docker-engine.docker.test.ts',
  'tests/quickstart.python.test.ts',
  'tests/path.browser.docker.test.ts',
  'tests/daemon/control.test.ts',
  'packages/demo-ui/test/page.browser.test.ts',
  'tests/daemon/failures.test.ts',
  'tests/states.browser.test.ts',
  'tests/wheel.python.test.ts',
  'tests/init.python.test.ts',
  'tests/daemon/deadlines.test.ts',
  'tests/path.browser.python.test.ts',
  'tests/certificates.test.ts',
  'packages/lib/test/components.python.browser.test.ts',
  'tests/daemon/manifest.test.ts',
  'tests/docs.browser.test.ts',
  'tests/settings.test.ts',
  'tests/crash/poisoned.test.ts',
  'packages/lib/test/serve.python.browser.test.ts',
]

/** Puts the longest test files first, and leaves the others as Vitest orders them. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const ordered = await super.sort(files)
    return ordered.toSorted((one, other) => place(this.ctx.config.root, one) - place(this.ctx.config.root, other))
  }
}

function place(root: string, file: TestSpecification): number {
  const found = longest.indexOf(relative(root, file.moduleId))
  return found === -1 ? longest.length : found
}
