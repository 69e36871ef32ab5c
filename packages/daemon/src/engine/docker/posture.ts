import { defaultLimits } from '../../config.ts'
import { firewallProblem } from './firewall/problem.ts'

/** How far a host keeps demos of the docker engine apart, as it is now. */
export interface Posture {
  readonly versions: { readonly docker: string; readonly kernel: string; readonly runc: string }
  /** Why rules of a firewall cannot be set. Undefined: they can. */
  readonly firewall: string | undefined
  /** The OCI runtime of demos, and whether Docker knows it. */
  readonly runtime: { readonly name: string; readonly isKnown: boolean }
  /** Docker runs without root. Rules of a firewall cannot be set then. */
  readonly isRootless: boolean
  /** Root in a container is another account on the host (`userns-remap`). */
  readonly remapsUsers: boolean
  readonly seccomp: boolean
  /** AppArmor or SELinux. */
  readonly mandatoryAccess: 'apparmor' | 'selinux' | undefined
  readonly cgroup: string
  /** What does not hold, for people, one whole sentence each. */
  readonly weaknesses: readonly string[]
}

/** What Docker says of itself, as far as it is read. */
interface DockerInfo {
  readonly ServerVersion?: string
  readonly KernelVersion?: string
  readonly RuncCommit?: { readonly ID?: string }
  readonly SecurityOptions?: readonly string[]
  readonly Runtimes?: Readonly<Record<string, unknown>>
  readonly DefaultRuntime?: string
  readonly CgroupVersion?: string
}

/**
 * Asks Docker and the firewall. `runtime`: what the operator chose. `dockerHost`: DOCKER_HOST of the environment.
 * Throws Error when Docker does not answer.
 */
export async function dockerPosture({
  runtime,
  dockerHost,
}: {
  readonly runtime?: string | undefined
  readonly dockerHost?: string | undefined
} = {}): Promise<Posture> {
  // Docker's client is loaded only where it is used.
  const { DockerClient } = await import('./docker-client.ts')
  const info = await new DockerClient(undefined, defaultLimits).within().info()
  return postureFrom(info as DockerInfo, await firewallProblem(dockerHost), runtime)
}

export function postureFrom(info: DockerInfo, firewall: string | undefined, chosen: string | undefined): Posture {
  const options = (info.SecurityOptions ?? []).map((option) => /^name=([a-z-]+)(?:,profile=(\S+))?/.exec(option) ?? [])
  const has = (name: string) => options.some(([, each]) => each === name)
  const runtime = chosen ?? info.DefaultRuntime ?? 'runc'
  const posture = {
    versions: {
      docker: info.ServerVersion ?? 'unknown',
      kernel: info.KernelVersion ?? 'unknown',
      runc: info.RuncCommit?.ID ?? 'unknown',
    },
    isRootless: has('rootless'),
    firewall: has('rootless') ? 'Docker runs without root, in a network of its own' : firewall,
    runtime: { name: runtime, isKnown: info.Runtimes?.[runtime] !== undefined },
    remapsUsers: has('userns'),
    seccomp: options.some(([, name, profile]) => name === 'seccomp' && profile !== 'unconfined'),
    mandatoryAccess: has('apparmor') ? ('apparmor' as const) : has('selinux') ? ('selinux' as const) : undefined,
    cgroup: info.CgroupVersion ?? '1',
  }
  return { ...posture, weaknesses: weaknessesOf(posture) }
}

function weaknessesOf(posture: Omit<Posture, 'weaknesses'>): string[] {
  const { firewall, runtime, isRootless, remapsUsers, seccomp, mandatoryAccess } = posture
  return [
    firewall && `Demos are not kept from the host's network: ${firewall}.`,
    !runtime.isKnown && `Docker does not know the runtime ${runtime.name}: add it to "runtimes" in its daemon.json.`,
    !seccomp && 'Docker has no seccomp filter, so demos may make every call of the kernel.',
    !mandatoryAccess && 'Neither AppArmor nor SELinux is on.',
    !isRootless && !remapsUsers && 'Docker does not remap users: a demo that breaks out is user 1000 of the host.',
  ].filter((weakness) => typeof weakness === 'string')
}
