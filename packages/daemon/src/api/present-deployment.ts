import type { Deployment } from '@origami/protocol/control'
import type { DeploymentRow } from '../store/tables.ts'

/** As the API shows it. */
export function presentDeployment(row: DeploymentRow): Deployment {
  return {
    id: row.id,
    demo_id: row.demo_id,
    state: row.state,
    reason: row.reason,
    commit: row.commit_sha,
    commit_message: row.commit_message,
    created_at: row.created_at,
    updated_at: row.updated_at,
    deadline_at: row.deadline_at,
    superseded_by: row.superseded_by,
    steps: row.steps,
    log_tail: [...row.log_tail],
  }
}
