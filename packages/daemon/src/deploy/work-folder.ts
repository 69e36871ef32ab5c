import { join } from 'node:path'
import type { Attempt } from '../store/deployment.ts'

/**
 * The folder of one attempt of a deployment. Files that an earlier attempt left or still writes are in another folder.
 */
export const workFolder = (work: string, { id, attempt }: Pick<Attempt, 'id' | 'attempt'>): string =>
  join(work, `${id}-${attempt}`)
