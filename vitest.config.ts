import { defineConfig } from 'vitest/config'
import { LongestFirst } from './tests/longest-first.ts'
import { patience } from './tests/patience.ts'

export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts', 'packages/*/test/**/*.test.tsx', 'tests/**/*.test.ts'],
    setupFiles: ['tests/patience.ts'],
    expect: { poll: { timeout: patience } },
    testTimeout: 4 * patience,
    hookTimeout: 4 * patience,
    maxWorkers: Number(process.env.ORIGAMI_TEST_WORKERS ?? 3),
    sequence: { sequencer: LongestFirst },
  },
})
