import { posix } from 'node:path'
import type { NetworkPolicy } from '@origami/protocol/demo'
import type Docker from 'dockerode'
import type { StartRequest } from '../engine.ts'
import { instanceEnvironment } from '../instance-environment.ts'

export const labels = {
  owner: 'io.origami.owner',
  demo: 'io.origami.demo',
  deployment: 'io.origami.deployment',
  role: 'io.origami.role',
} as const

export const containerName = ({ demo, deployment }: Pick<StartRequest, 'demo' | 'deployment'>): string =>
  `origami-${demo.slice(0, 8)}-${deployment}`
/**
 * A demo has one network for each policy that a version of it asked for. That of another state folder, whose rules are
 * not ours, has another name.
 */
export const networkName = (owner: string, demo: string, policy: NetworkPolicy): string =>
  `origami-${demo.slice(0, 8)}-${policy}-${owner.slice(0, 8)}`
export const imageTag = (demo: string, deployment: string): string => `origami/${demo.slice(0, 8)}:${deployment}`

/** Where a container sees its inputs. */
const inputsTarget = '/mnt/inputs'

/** What an image says of itself that a container for it must heed. */
export interface ImageConfig {
  readonly User?: string | undefined
  readonly Volumes?: Readonly<Record<string, object>> | null | undefined
}

/**
 * Processes count against `pids`. The kernel's own limit of processes is left alone: it counts those of a user in all
 * containers together, so one demo could use up another's.
 */
const ulimits = [
  { Name: 'nofile', Soft: 16_384, Hard: 16_384 },
  { Name: 'core', Soft: 0, Hard: 0 },
]

/**
 * A container for a stranger's code: no root, no capability and no way to gain one, with limits, and reachable by
 * loopback alone. What it writes stands in its memory, whose limit holds for all of it. `inputs` is the only folder of
 * the host that it sees, and it can only read there.
 */
export function containerSpec(
  { demo, deployment, image, spec }: StartRequest,
  { owner, runtime }: { readonly owner: string; readonly runtime?: string | undefined },
  imageConfig: ImageConfig,
  inputs?: string,
): Docker.ContainerCreateOptions {
  const port = `${spec.port}/tcp`
  const half = Math.floor(spec.memoryBytes / 2)
  return {
    name: containerName({ demo, deployment }),
    Image: image,
    User: safeUser(imageConfig.User),
    Labels: { [labels.owner]: owner, [labels.demo]: demo, [labels.deployment]: deployment, [labels.role]: 'demo' },
    Env: Object.entries({
      ...instanceEnvironment(spec),
      PORT: spec.port,
      ORIGAMI_HOST: '0.0.0.0',
      HOME: '/tmp',
      ...(inputs === undefined ? {} : { ORIGAMI_INPUTS: inputsTarget }),
    }).map((entry) => entry.join('=')),
    ExposedPorts: { [port]: {} },
    HostConfig: {
      ...(runtime === undefined ? {} : { Runtime: runtime }),
      NetworkMode: networkName(owner, demo, spec.network),
      // Who may reach nothing gets no answers of servers either, since Docker's own resolver asks from the host.
      ...(spec.network === 'none' ? { Dns: ['127.0.0.1'] } : {}),
      PortBindings: { [port]: [{ HostIp: '127.0.0.1', HostPort: '' }] },
      RestartPolicy: { Name: 'no' },
      Init: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      Tmpfs: {
        '/tmp': `rw,nosuid,nodev,${spec.tmpExec ? 'exec' : 'noexec'},mode=1777,size=${Math.floor(spec.tmpBytes)}`,
      },
      ShmSize: half,
      Mounts: [
        ...volumesOf(imageConfig).map((target) => memoryMount(target, half)),
        ...(inputs === undefined ? [] : [readOnlyMount(inputs)]),
      ],
      Memory: spec.memoryBytes,
      MemorySwap: spec.memoryBytes,
      NanoCpus: Math.round(spec.cpus * 1e9),
      PidsLimit: spec.pids,
      Ulimits: ulimits,
      LogConfig: { Type: 'json-file', Config: { 'max-size': '5m', 'max-file': '2' } },
    },
  }
}

const readOnlyMount = (folder: string): Docker.MountSettings => ({
  Type: 'bind',
  Source: folder,
  Target: inputsTarget,
  ReadOnly: true,
  BindOptions: { Propagation: 'rprivate' },
})

/** A folder that begins empty and stands in the container's memory. */
const memoryMount = (target: string, bytes: number): Docker.MountSettings => ({
  Type: 'tmpfs',
  Source: '',
  Target: target,
  TmpfsOptions: { SizeBytes: bytes, Mode: 0o1777 },
})

/**
 * The folders that an image declares as volumes. Docker would make each of them on the disk of the host, without a
 * limit.
 */
export function volumesOf({ Volumes }: ImageConfig): string[] {
  const folders = new Set(Object.keys(Volumes ?? {}).map((path) => posix.resolve('/', path)))
  for (const ours of ['/tmp', inputsTarget]) folders.delete(ours)
  return [...folders]
}

/**
 * The image's own user and group where they are numbers other than 0, else 1000, and the group like the user. A name
 * could mean root, and without a group Docker takes that of root for a user whom the image does not list.
 */
function safeUser(user = ''): string {
  const [, uid, , gid] = /^([1-9]\d{0,8})(:(\d{1,9}))?$/.exec(user) ?? []
  if (uid === undefined) return '1000:1000'
  return `${uid}:${gid === undefined || Number(gid) === 0 ? uid : gid}`
}
