/** The steps of a deploy in their order, from the request to serving. */
export const activeStates = ['cloning', 'validating', 'building', 'starting', 'health_checking', 'switching'] as const
export const failedStates = [
  'not_linked',
  'config_error',
  'clone_failed',
  'build_failed',
  'start_failed',
  'oom',
  'unhealthy',
  'not_a_predictor',
  'timed_out',
  'runtime_error',
  'poisoned',
] as const
export const endedStates = [...failedStates, 'canceled', 'superseded', 'retired', 'stopped'] as const
export const deploymentStates = ['queued', ...activeStates, 'running', 'draining', ...endedStates] as const

export type ActiveState = (typeof activeStates)[number]
export type FailedState = (typeof failedStates)[number]
export type DeploymentState = (typeof deploymentStates)[number]

export const isActiveState = (state: DeploymentState): state is ActiveState =>
  (activeStates as readonly string[]).includes(state)
export const isFailed = (state: DeploymentState): state is FailedState =>
  (failedStates as readonly string[]).includes(state)
export const isEnded = (state: DeploymentState): boolean => (endedStates as readonly string[]).includes(state)

/** A demo's overall state, derived from the serving deployment, the newest one and what the owner wants. */
export const demoStates = ['running', 'building', 'failed', 'not_linked', 'stopped', 'waiting'] as const
export type DemoState = (typeof demoStates)[number]
