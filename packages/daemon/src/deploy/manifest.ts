import { type Manifest, manifestSchema } from '@origami/protocol/demo'
import type { DeploymentRow } from '../store/tables.ts'

/** The manifest of a deployment as the store has it; what it lacks, since it was stored by an earlier version, is as by default. */
export const manifestOf = ({ manifest }: Pick<DeploymentRow, 'manifest'>): Manifest => ({
  ...manifestSchema.parse({}),
  ...(manifest === null ? {} : (JSON.parse(manifest) as Partial<Manifest>)),
})
