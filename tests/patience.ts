import { vi } from 'vitest'

/**
 * How long a test waits for what other processes do: longer than it takes on a busy machine, so that only a fault is
 * waited for in vain.
 */
export const patience = 30_000

// Vitest's own default is one second, which two busy cores can take to start a process.
const { waitFor } = vi
vi.waitFor = (check, options) =>
  waitFor(check, typeof options === 'number' ? options : { timeout: patience, ...options })
