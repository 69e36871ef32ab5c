import type { Deployment as ShownDeployment } from '@origami/protocol/control'
import type { Deployment } from '../store/deployment.ts'

/** A deployment in the form that the API answers. */
export function presentDeployment(row: Deployment): ShownDeployment {
  return {
    id: row.id,
    demo_id: row.demo_id,
    state: row.state,
    reason: row.reason,
    commit: row.commit?.sha ?? null,
    commit_message: row.commit?.message ?? null,
    created_at: row.created_at,
    updated_at: row.updated_at,
    deadline_at: 'deadline_at' in row ? row.deadline_at : null,
    superseded_by: row.state === 'superseded' ? row.superseded_by : null,
    steps: row.steps,
    base_images: [...row.base_images],
    log_tail: [...row.log_tail],
  }
}
