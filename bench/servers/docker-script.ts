import { spawn } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import Docker from 'dockerode'
import { execa } from 'execa'
import { request } from 'undici'
import { temporaryFolder } from './temporary-folder.ts'

/** Where Docker answers, if it is there. */
export const dockerSocket = '/var/run/docker.sock'
const port = '6000/tcp'

/** What somebody without Origami writes: clone a repository, build it with BuildKit, run it, wait for an answer. */
export class DockerScript implements AsyncDisposable {
  private readonly docker = new Docker()
  private readonly made: { container: Docker.Container; image: string }[] = []

  /** Resolves once a prediction was answered. */
  async run({ git }: { git: string }): Promise<void> {
    await using folder = await temporaryFolder()
    const image = `origami-bench:${crypto.randomUUID()}`
    await execa('git', ['clone', '--quiet', '--depth', '1', git, folder.path])
    const context = spawn('tar', ['-c', '-C', folder.path, '--exclude', '.git', '.'])
    const answer = await this.docker.buildImage(context.stdout, { t: image, version: '2' })
    let failed: unknown
    for await (const bytes of answer) failed ??= /"error":.*/.exec(String(bytes))?.[0]
    if (failed) throw new Error(`the build failed: ${failed}`)
    const container = await this.docker.createContainer({
      Image: image,
      Env: ['PORT=6000', 'ORIGAMI_HOST=0.0.0.0'],
      ExposedPorts: { [port]: {} },
      HostConfig: { PortBindings: { [port]: [{ HostIp: '127.0.0.1', HostPort: '' }] } },
    })
    this.made.push({ container, image })
    await container.start()
    const { NetworkSettings } = await container.inspect()
    const url = `http://127.0.0.1:${NetworkSettings.Ports[port]?.[0]?.HostPort}`
    while (!(await isReady(url))) await setTimeout(20)
    await predict(url)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { container, image } of this.made) {
      await container.remove({ force: true })
      await this.docker.getImage(image).remove({ force: true })
    }
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const { body } = await request(`${url}/health-check`)
    return (await body.text()).includes('"READY"')
  } catch {
    // It does not listen yet.
    return false
  }
}

async function predict(url: string): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const asked = { method: 'POST', headers, body: '{"input":{"word":"x"}}' } as const
  const { statusCode, body } = await request(`${url}/predictions`, asked)
  const answer = await body.text()
  if (statusCode !== 200) throw new Error(`expected an answer, got ${statusCode} ${answer}`)
}
