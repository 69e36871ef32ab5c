import { join } from 'node:path'
import type { DeploymentRow } from '../store/tables.ts'

/** The folder of one attempt of a deployment: what an earlier one left, or still writes, is never in its way. */
export const workFolder = (work: string, { id, attempt }: Pick<DeploymentRow, 'id' | 'attempt'>): string =>
  join(work, `${id}-${attempt}`)
