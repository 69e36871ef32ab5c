import type { DemoId, DeploymentId } from '@origami/protocol/demo'
import type Docker from 'dockerode'
import type { ImageRef, Instance, InstanceId } from '../engine.ts'
import { labels } from './container-spec.ts'

/**
 * Turns what Docker says of a container into an instance. Undefined: it belongs to another state folder. The port may
 * differ after a restart.
 */
export function containerInstance(found: Docker.ContainerInspectInfo, owner: string): Instance | undefined {
  const { State, NetworkSettings } = found
  const { Labels = {} } = found.Config
  if (Labels[labels.owner] !== owner) return undefined
  const [binding] = Object.values(NetworkSettings.Ports).flatMap((bindings) => bindings ?? [])
  const instance = {
    id: found.Id as InstanceId,
    demo: Labels[labels.demo] as DemoId,
    deployment: Labels[labels.deployment] as DeploymentId,
    image: found.Image as ImageRef,
  }
  if (State.Status === 'created') return { ...instance, state: 'created', endpoint: undefined }
  if (State.Running)
    return { ...instance, state: 'running', endpoint: binding && `http://127.0.0.1:${binding.HostPort}` }
  const exit = { id: instance.id, code: State.ExitCode, outOfMemory: State.OOMKilled, at: new Date(State.FinishedAt) }
  return { ...instance, state: 'exited', endpoint: undefined, exit }
}
