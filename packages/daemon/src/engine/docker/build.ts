import { existsSync } from 'node:fs'
import { lstat, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import dockerignore from '@balena/dockerignore'
import type Docker from 'dockerode'
import { pack } from 'tar-fs'
import { BuildError, type BuildRequest, ConfigError } from '../engine.ts'
import { BuildTrace } from './build-trace.ts'
import { imageTag, labels } from './spec.ts'

interface Progress {
  readonly id?: string
  readonly aux?: string | { ID?: string }
  readonly error?: string
  readonly stream?: string
}

/** Builds with BuildKit through Docker's API; the log has what BuildKit tells. Throws ConfigError, BuildError. */
export async function buildImage(docker: Docker, owner: string, request: BuildRequest, signal: AbortSignal): Promise<string> {
  const { demo, deployment, folder, onLog } = request
  await checkDockerfile(folder)
  const context = pack(folder, { ignore: await ignored(folder) })
  const tag = imageTag(demo, deployment)
  const options = {
    t: tag,
    version: '2',
    forcerm: true,
    labels: { [labels.owner]: owner, [labels.demo]: demo, [labels.deployment]: deployment, [labels.role]: 'demo' },
    abortSignal: signal,
  }
  const answer = (await docker.buildImage(context as never, options as never)) as unknown as Readable
  const end = () => answer.destroy()
  signal.addEventListener('abort', end, { once: true })
  const trace = new BuildTrace()
  let failed: string | undefined
  try {
    for await (const line of createInterface({ input: answer, signal })) {
      const { id, aux, error, stream } = JSON.parse(line) as Progress
      if (id === 'moby.buildkit.trace' && typeof aux === 'string')
        for (const told of trace.read(Buffer.from(aux, 'base64'))) onLog({ at: new Date(), source: 'build', text: told.text })
      if (stream?.trim()) onLog({ at: new Date(), source: 'build', text: stream.trimEnd() })
      failed = error ?? failed
    }
  } finally {
    signal.removeEventListener('abort', end)
  }
  signal.throwIfAborted()
  if (failed) throw new BuildError(`The build failed: ${failed}`)
  return (await docker.getImage(tag).inspect()).Id
}

/** A plain file, and no frontend of its own: BuildKit would run it. Throws ConfigError. */
async function checkDockerfile(folder: string): Promise<void> {
  const path = join(folder, 'Dockerfile')
  const found = await lstat(path).catch(() => undefined)
  if (!found) throw new ConfigError('There is no Dockerfile in the root of the repository; `origami bundle` writes it')
  if (!found.isFile() || found.size > 1024 ** 2) throw new ConfigError('Expected Dockerfile to be a plain file of at most 1 MiB')
  if (/^\s*#\s*syntax\s*=/im.test(await readFile(path, 'utf8')))
    throw new ConfigError('A `# syntax=` line in the Dockerfile is refused: it names a program that would run the build')
}

/** What `.dockerignore` leaves out of the context; `.git` always. */
async function ignored(folder: string): Promise<(path: string) => boolean> {
  const path = join(folder, '.dockerignore')
  const rules = existsSync(path) ? await readFile(path, 'utf8') : ''
  const matcher = dockerignore.default().add(rules).add('.git')
  return (file) => {
    const name = relative(folder, file)
    return name !== '' && name !== 'Dockerfile' && matcher.ignores(name)
  }
}
