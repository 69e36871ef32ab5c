import { join } from 'node:path'
import type { Attempt } from '../store/deployment.ts'

/** The folder of one attempt of a deployment: what an earlier one left, or still writes, is never in its way. */
export const workFolder = (work: string, { id, attempt }: Pick<Attempt, 'id' | 'attempt'>): string =>
  join(work, `${id}-${attempt}`)
