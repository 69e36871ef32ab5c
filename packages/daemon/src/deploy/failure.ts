import type { DeploymentState } from '@origami/protocol/control'
import { ManifestError } from '@origami/protocol/demo'
import { OutOfRoom } from '../disk/build-watch.ts'
import { BuildError, ConfigError } from '../engine/engine.ts'
import { SourceError } from '../source/source.ts'

/** Ends a deploy in a state, with a reason that a person can act on. */
export class DeployFailed extends Error {
  override readonly name = 'DeployFailed'
  readonly state: DeploymentState
  constructor(state: DeploymentState, reason: string) {
    super(reason)
    this.state = state
  }
}

/** Another attempt has taken over this deployment. Whoever catches this error stops and writes nothing. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken'
}

/** The failure that an error means for a deployment. `step` names what was under way, for errors of no known kind. */
export function failureOf(error: unknown, step: string): DeployFailed {
  if (error instanceof DeployFailed) return error
  if (error instanceof SourceError) return new DeployFailed('clone_failed', error.message)
  if (error instanceof ManifestError || error instanceof ConfigError)
    return new DeployFailed('config_error', error.message)
  if (error instanceof BuildError) return new DeployFailed('build_failed', error.message)
  if (error instanceof OutOfRoom)
    return new DeployFailed(step === 'cloning' ? 'clone_failed' : 'build_failed', error.message)
  const message = error instanceof Error ? error.message : String(error)
  const states: Record<string, DeploymentState> = {
    cloning: 'clone_failed',
    validating: 'config_error',
    building: 'build_failed',
  }
  return new DeployFailed(
    states[step] ?? 'start_failed',
    `Something went wrong while ${step.replace('_', ' ')}: ${message}`,
  )
}
