import { createHash } from 'node:crypto'
import { relative } from 'node:path'
import { type Pack, pack } from 'tar-fs'
import { size } from '../../disk/free-space.ts'
import { readBundleFile } from '../bundle-file.ts'
import { BuildError, type BuildRequest, ConfigError } from '../engine.ts'
import { BuildTrace } from './build-trace.ts'
import { imageTag, labels, volumesOf } from './container-spec.ts'
import { type DockerClient, readable } from './docker-client.ts'
import { IgnoreRules } from './ignore-rules.ts'
import { jsonLines } from './json-lines.ts'

/** Each is a mount of its own. */
const mostVolumes = 32

interface BuildMessage {
  readonly id?: string
  readonly aux?: string | { ID?: string }
  readonly error?: string
  readonly stream?: string
}

/**
 * Builds with BuildKit through Docker's API, and writes BuildKit's messages to the log. Throws ConfigError, BuildError.
 */
export async function buildImage(
  client: DockerClient,
  { owner, imageBytes }: { readonly owner: string; readonly imageBytes: number },
  request: BuildRequest,
  signal: AbortSignal,
): Promise<string> {
  const { demo, deployment, folder } = request
  await checkDockerfile(folder)
  const context = pack(folder, { ignore: await ignored(folder) })
  const tag = imageTag(demo, deployment)
  const options = {
    t: tag,
    version: '2' as const,
    forcerm: true,
    ...ownCache(owner, request.user),
    labels: { [labels.owner]: owner, [labels.demo]: demo, [labels.deployment]: deployment, [labels.role]: 'demo' },
  }
  // The session that Docker opens for a build stays open after a build that failed, unless it is ended here.
  const over = new AbortController()
  let built: Built
  try {
    const docker = client.within(AbortSignal.any([signal, over.signal]))
    // The pack is no Node stream by its type, but it can be piped like one, and an error in it ends the request.
    const answer = await docker.buildImage(context as Pack & NodeJS.ReadableStream, options)
    built = await follow(readable(answer), request)
    signal.throwIfAborted()
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    context.destroy()
    over.abort()
  }
  // By its id, since somebody else may give its tag to another image.
  const { Id, Config, Size } = await client.within(signal).getImage(built.id).inspect()
  if (Size > imageBytes) {
    await client.within().getImage(Id).remove({ force: true })
    throw new BuildError(
      `The image has ${size(Size)}, and an image here may have ${size(imageBytes)}; leave out what the demo does not need`,
    )
  }
  await tellOfVolumes(volumesOf(Config), request)
  const images = await Promise.all(built.bases.map((name) => identified(client, name, signal)))
  request.onBaseImages?.(images)
  for (const name of images) await request.onLog({ at: new Date(), source: 'build', text: `Built on ${name}` })
  return Id
}

/** The name of a base image with its digest, or with the id that it has in Docker. */
async function identified(client: DockerClient, name: string, signal: AbortSignal): Promise<string> {
  if (name.includes('@sha256:')) return name
  // One that BuildKit alone has fetched is not among Docker's images.
  const found = await client
    .within(signal)
    .getImage(name)
    .inspect()
    .catch(() => undefined)
  signal.throwIfAborted()
  return found ? `${name} ${found.Id}` : name
}

/**
 * What keeps the caches of accounts apart. BuildKit puts the namespace before each id of `RUN --mount=type=cache`, and
 * a line of a RUN's `/etc/hosts` is part of what it knows a cached layer by.
 */
function ownCache(owner: string, user: string) {
  const name = createHash('sha256').update(`${owner} ${user}`).digest('hex').slice(0, 32)
  return { buildargs: { BUILDKIT_CACHE_MOUNT_NS: name }, extrahosts: `${name}.invalid:0.0.0.0` }
}

/** Throws BuildError when there are too many. */
async function tellOfVolumes(volumes: readonly string[], { onLog }: BuildRequest): Promise<void> {
  if (volumes.length > mostVolumes)
    throw new BuildError(`Expected at most ${mostVolumes} volumes in the image, got ${volumes.length}`)
  for (const volume of volumes)
    await onLog({
      at: new Date(),
      source: 'build',
      text: `VOLUME ${volume}: a demo keeps nothing on the host, so this folder stands in its memory and is empty at each start`,
    })
}

interface Built {
  readonly id: string
  /** The images that its stages begin with. */
  readonly bases: readonly string[]
}

/** How BuildKit shows the first step of a stage. */
const fromImage = /^\[[^\]]*\] FROM (\S+)/

/** Writes the messages of a build into the log and waits for the log to take them. Throws BuildError. */
async function follow(answer: AsyncIterable<Uint8Array>, { onLog }: BuildRequest): Promise<Built> {
  const trace = new BuildTrace()
  const bases = new Set<string>()
  let built: string | undefined
  const say = (text: string) => onLog({ at: new Date(), source: 'build', text })
  let failed: string | undefined
  for await (const { value } of jsonLines(answer)) {
    const { id, aux, error, stream } = value as BuildMessage
    if (id === 'moby.buildkit.trace' && typeof aux === 'string')
      for (const { text } of trace.read(Buffer.from(aux, 'base64'))) {
        const [, base] = fromImage.exec(text) ?? []
        if (base !== undefined) bases.add(base)
        await say(text)
      }
    if (id === 'moby.image.id' && typeof aux === 'object') built = aux.ID
    if (stream?.trim()) await say(stream.trimEnd())
    failed = error ?? failed
  }
  if (failed !== undefined) throw new BuildError(`The build failed: ${failed}`)
  if (built === undefined) throw new Error('Docker ended a build and said neither that it failed nor what it made')
  return { id: built, bases: [...bases] }
}

/** Requires a plain file that names no frontend of its own, since BuildKit would run that. Throws ConfigError. */
async function checkDockerfile(folder: string): Promise<void> {
  const text = await readBundleFile(folder, 'Dockerfile')
  if (text === undefined)
    throw new ConfigError('There is no Dockerfile in the root of the repository; `origami bundle` writes it')
  const lines = text.split(/[\r\n]+/)
  if (namesFrontend(lines))
    throw new ConfigError(
      'A `syntax` in the Dockerfile (`# syntax=`, `// syntax=` or JSON) is refused: it names a program that would run the build',
    )
  if (!lines.some((line) => /^\s*FROM\s/i.test(line)))
    throw new ConfigError('Expected a Dockerfile with a line `FROM image`, got none; `origami bundle` writes one')
}

/**
 * What BuildKit takes for the name of a frontend: a comment of either kind, or a file that is a JSON object. Lines are
 * looked at one by one, since an expression over all of them takes time that grows with their square.
 */
function namesFrontend(lines: readonly string[]): boolean {
  const [first, ...others] = lines.filter((line) => line.trim() !== '')
  const object = first?.startsWith('#!') ? others[0] : first
  return object?.trim().startsWith('{') === true || lines.some((line) => /^\s*(#|\/\/)\s*syntax\s*=/i.test(line))
}

/** What `.dockerignore` excludes from the context. `.git` is always excluded. Throws ConfigError. */
async function ignored(folder: string): Promise<(path: string) => boolean> {
  const rules = new IgnoreRules(`${(await readBundleFile(folder, '.dockerignore')) ?? ''}\n.git`)
  return (file) => {
    const name = relative(folder, file)
    return name !== '' && name !== 'Dockerfile' && rules.excludes(name) && !rules.mayHoldExceptions(name)
  }
}
