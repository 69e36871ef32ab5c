import { type Manifest, manifestSchema } from '@origami/protocol/demo'
import type { DeploymentRow } from '../store/tables.ts'

/** The manifest of a deployment; one that cannot be read any more counts as empty. */
export const manifestOf = ({ manifest }: Pick<DeploymentRow, 'manifest'>): Manifest =>
  manifest ?? manifestSchema.parse({})
