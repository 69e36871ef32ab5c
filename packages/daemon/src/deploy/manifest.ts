import { type Manifest, manifestSchema } from '@origami/protocol/demo'
import type { Deployment } from '../store/deployment.ts'

/** The manifest of a deployment. A stored one that cannot be read any more counts as empty. */
export const manifestOf = ({ manifest }: Pick<Deployment, 'manifest'>): Manifest => manifest ?? manifestSchema.parse({})
