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
export const networkName = (demo: string): string => `origami-${demo.slice(0, 8)}`
export const imageTag = (demo: string, deployment: string): string => `origami/${demo.slice(0, 8)}:${deployment}`

/** Where a container sees its inputs. */
const inputsTarget = '/mnt/inputs'

/**
 * A container for a stranger's code: no root, no capability and no way to gain one, with limits, and reachable by
 * loopback alone. `imageUser` is the user that the image names. `inputs` is the only folder of the host that it sees,
 * and it can only read there.
 */
export function containerSpec(
  { demo, deployment, image, spec }: StartRequest,
  owner: string,
  imageUser: string,
  inputs?: string,
): Docker.ContainerCreateOptions {
  const port = `${spec.port}/tcp`
  return {
    name: containerName({ demo, deployment }),
    Image: image,
    User: safeUser(imageUser),
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
      NetworkMode: networkName(demo),
      PortBindings: { [port]: [{ HostIp: '127.0.0.1', HostPort: '' }] },
      RestartPolicy: { Name: 'no' },
      Init: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      // It must be executable, since numerical libraries compile code into it.
      Tmpfs: { '/tmp': `rw,nosuid,nodev,exec,mode=1777,size=${Math.floor(spec.memoryBytes / 2)}` },
      Mounts: inputs === undefined ? [] : [readOnlyMount(inputs)],
      Memory: spec.memoryBytes,
      MemorySwap: spec.memoryBytes,
      NanoCpus: Math.round(spec.cpus * 1e9),
      PidsLimit: spec.pids,
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

/** The image's own user when it is a number other than 0, else 1000. A user name could mean root under another name. */
function safeUser(user: string): string {
  const [uid = '', gid] = user.split(':')
  return /^[1-9]\d*$/.test(uid) && (gid === undefined || /^\d+$/.test(gid)) ? user : '1000'
}
