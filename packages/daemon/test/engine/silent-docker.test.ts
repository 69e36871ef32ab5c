import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type DemoId, type DeploymentId, manifestSchema } from '@origami/protocol/demo'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { defaultLimits } from '../../src/config.ts'
import { DockerEngine } from '../../src/engine/docker/docker-engine.ts'
import type { ImageRef, InstanceExit, InstanceId } from '../../src/engine/engine.ts'

const whole = new AbortController().signal
const owner = 'owner-of-silence'
const demo = '0123456789abcdef0123456789abcdef' as DemoId
const deployment = 'deployment1' as DeploymentId
const id = 'one' as InstanceId

let folder: string
let bundle: string
let server: Server
let sessions: Socket[]
beforeEach(async () => {
  sessions = []
  folder = await mkdtemp(join(tmpdir(), 'origami-docker-'))
  bundle = await mkdtemp(join(folder, 'bundle-'))
  await writeFile(join(bundle, 'Dockerfile'), 'FROM scratch\n')
})
afterEach(async () => {
  for (const session of sessions) session.destroy()
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true, force: true })
})

/** An engine whose Docker is this listener on a socket. */
async function engineOn(
  listener: RequestListener,
  engineMs: number,
  buildNetwork: 'web' | 'open' = 'open',
): Promise<DockerEngine> {
  const socket = join(folder, 'docker.sock')
  server = createServer(listener).listen(socket)
  server.on('upgrade', (_request, session: Socket) => {
    sessions.push(session)
    session.resume().write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n')
  })
  await once(server, 'listening')
  return new DockerEngine({
    owner,
    socket,
    limits: { ...defaultLimits, buildMemoryBytes: 0, buildCacheBytes: 0, engineMs, killMs: 100, buildNetwork },
  })
}

const build = (engine: DockerEngine, signal: AbortSignal) =>
  engine.build(
    { demo, deployment, user: 'ann', folder: bundle, manifest: manifestSchema.parse({}), onLog: () => {} },
    signal,
  )
const start = (engine: DockerEngine, signal: AbortSignal) =>
  engine.start(
    {
      demo,
      deployment,
      image: 'sha256:x' as ImageRef,
      spec: {
        name: 'x',
        bodyBytes: 1,
        fileBytes: 1,
        port: 6000,
        memoryBytes: 1,
        cpus: 1,
        pids: 1,
        network: 'web',
        tmpBytes: 1,
        tmpExec: false,
      },
    },
    signal,
  )
const first = (engine: DockerEngine, signal: AbortSignal) =>
  engine.logs(id, undefined, signal)[Symbol.asyncIterator]().next()

describe('a Docker that accepts and never answers', () => {
  test.each<[string, (engine: DockerEngine) => Promise<unknown>]>([
    ['ready', (engine) => engine.ready(whole)],
    ['build', (engine) => build(engine, whole)],
    ['start', (engine) => start(engine, whole)],
    ['stop', (engine) => engine.stop(id, 0)],
    ['remove', (engine) => engine.remove(id)],
    ['find', (engine) => engine.find(id)],
    ['list', (engine) => engine.list()],
    ['instancesOf', (engine) => engine.instancesOf(demo)],
    ['images', (engine) => engine.images()],
    ['removeImage', (engine) => engine.removeImage('sha256:x' as ImageRef)],
    ['forget', (engine) => engine.forget(demo)],
    ['logs', (engine) => first(engine, whole)],
  ])('%s ends at its deadline, and names the call', async (_name, call) => {
    const error: unknown = await call(await engineOn(() => {}, 50)).catch((cause: unknown) => cause)
    const { message, cause } = error as Error
    expect(cause instanceof Error ? cause.message : message).toMatch(
      /^Docker did not answer [A-Z]+ \/.+ within 0.05 s$/,
    )
  })

  test.each<[string, (engine: DockerEngine, signal: AbortSignal) => Promise<unknown>]>([
    ['build', build],
    ['start', start],
  ])('%s ends with its signal', async (_name, call) => {
    const cancel = new AbortController()
    const engine = await engineOn(() => cancel.abort('canceled'), 60_000)
    await expect(call(engine, cancel.signal)).rejects.toBe('canceled')
  })

  test('a build whose folder is on its way ends with its signal, and its session too', async () => {
    const cancel = new AbortController()
    const engine = await engineOn((request, response) => {
      if (request.url?.startsWith('/images/json')) response.end('[]')
      else if (request.url?.startsWith('/build?')) cancel.abort('canceled')
    }, 60_000)
    await expect(build(engine, cancel.signal)).rejects.toBe('canceled')
    await vi.waitFor(() => expect(sessions.map((session) => session.readableEnded)).toEqual([true]))
  })

  test('a build ends with its signal before rules of a firewall are set for it', async () => {
    const cancel = new AbortController()
    const engine = await engineOn(
      (request, response) => {
        if (request.url?.startsWith('/images/json')) response.end('[]')
        else if (request.url?.startsWith('/networks?')) cancel.abort('canceled')
      },
      60_000,
      'web',
    )
    await expect(build(engine, cancel.signal)).rejects.toBe('canceled')
  })

  test('logs, exits and a watch end with their signal', async () => {
    const cancel = new AbortController()
    const engine = await engineOn(() => cancel.abort(), 60_000)
    await expect(first(engine, cancel.signal)).rejects.toThrow('aborted')
    expect(await engine.exits(cancel.signal)[Symbol.asyncIterator]().next()).toMatchObject({ done: true })
    await expect(engine.watch(id, cancel.signal)[Symbol.asyncIterator]().next()).rejects.toThrow('aborted')
  })
})

describe('a Docker that answers in pieces, or not as expected', () => {
  const container = (name: string) => ({
    Id: name,
    Image: 'sha256:x',
    Config: { Labels: { 'io.origami.owner': owner, 'io.origami.demo': demo, 'io.origami.deployment': deployment } },
    State: { Running: false, Status: 'exited', ExitCode: 3, OOMKilled: false, FinishedAt: '2026-01-01T00:00:00Z' },
    NetworkSettings: { Ports: {} },
  })

  test('an instance that goes while they are listed is left out', async () => {
    const engine = await engineOn((request, response) => {
      if (request.url?.startsWith('/containers/json')) response.end('[{"Id":"one"},{"Id":"gone"}]')
      else if (request.url?.startsWith('/containers/one/')) response.end(JSON.stringify(container('one')))
      else response.writeHead(404).end('{"message":"no such container"}')
    }, 5000)
    expect((await engine.list()).map((instance) => instance.id)).toEqual(['one'])
  })

  test('neither an exit that cannot be asked, nor a line that is not JSON, ends the stream of exits', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    const event = (name: string, time: number) => `${JSON.stringify({ id: name, timeNano: time })}\n`
    const engine = await engineOn((request, response) => {
      if (request.url?.startsWith('/events')) response.write(`${event('broken', 1)}{"id":"ha\nnull\n${event('one', 2)}`)
      else if (request.url?.startsWith('/containers/one/')) response.end(JSON.stringify(container('one')))
      else response.writeHead(500).end('{"message":"no"}')
    }, 5000)
    const gone = new AbortController()
    const { value } = (await engine.exits(gone.signal)[Symbol.asyncIterator]().next()) as { value: InstanceExit }
    gone.abort()
    expect(value).toMatchObject({ id: 'one', code: 3 })
    expect(logged).toHaveBeenCalledTimes(3)
    logged.mockRestore()
  })

  test('a build that Docker breaks off in the middle of a line fails with words, not with a parse error', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    const engine = await engineOn((request, response) => {
      if (request.url?.startsWith('/images/json')) response.end('[]')
      else if (request.url?.startsWith('/networks')) response.end('[{"Id":"one"}]')
      else if (request.url?.startsWith('/build'))
        request.resume().once('end', () => response.end('{"stream":"one"}\r\n{"stre'))
      else response.writeHead(404).end('{"message":"No such image"}')
    }, 5000)
    await expect(build(engine, whole)).rejects.toThrow('neither that it failed nor what it made')
    expect(logged).toHaveBeenCalledOnce()
    logged.mockRestore()
  })

  test('the cache of builds is made smaller after a build when the operator says so, and else left alone', async () => {
    const pruned: string[] = []
    const answer = '{"id":"moby.image.id","aux":{"ID":"sha256:x"},"Id":"sha256:x","Config":{}}'
    const listener: RequestListener = (request, response) => {
      if (request.url?.startsWith('/build/prune')) pruned.push(request.url)
      if (request.url?.startsWith('/images/json')) response.end('[]')
      else request.resume().once('end', () => response.end(answer))
    }
    const engine = await engineOn(listener, 5000)
    await build(engine, whole)
    await engine.dropCaches(whole)
    expect(pruned).toEqual([])
    const capped = new DockerEngine({
      owner,
      socket: join(folder, 'docker.sock'),
      limits: { ...defaultLimits, buildMemoryBytes: 0, buildCacheBytes: 1e9, buildNetwork: 'open' },
    })
    await build(capped, whole)
    await capped.dropCaches(whole)
    const kept = pruned.map((url) => new URLSearchParams(url.split('?')[1]).get('keep-storage'))
    expect(kept).toEqual(['1000000000', '0'])
  })
})

test('an image above the limit is removed, and its build fails with both sizes', async () => {
  const removed: (string | undefined)[] = []
  const engine = await engineOn((request, response) => {
    const url = request.url ?? ''
    if (request.method === 'DELETE' && url.startsWith('/images/')) {
      removed.push(url.split('?')[0])
      response.end('[]')
    } else if (url.startsWith('/images/json')) response.end('[]')
    else if (url.startsWith('/images/')) response.end('{"Id":"sha256:built","Size":30000000000,"Config":{}}')
    else if (url.startsWith('/build'))
      request.resume().once('end', () => response.end('{"id":"moby.image.id","aux":{"ID":"sha256:built"}}\n'))
    else response.end('[{"Id":"one"}]')
  }, 5000)
  await expect(build(engine, whole)).rejects.toThrow('The image has 30 GB, and an image here may have 21 GB')
  expect(removed).toEqual(['/images/sha256:built'])
})

test('what runs is the image that was built, also when its tag is given to another one meanwhile', async () => {
  const engine = await engineOn((request, response) => {
    const url = request.url ?? ''
    if (url.startsWith('/images/json')) response.end('[]')
    else if (url.startsWith('/images/sha256')) response.end('{"Id":"sha256:built","Config":{}}')
    else if (url.startsWith('/images/')) response.end('{"Id":"sha256:another","Config":{}}')
    else if (url.startsWith('/build'))
      request.resume().once('end', () => response.end('{"id":"moby.image.id","aux":{"ID":"sha256:built"}}\n'))
    else response.end('[{"Id":"one"}]')
  }, 5000)
  expect(await build(engine, whole)).toBe('sha256:built')
})

test('a Docker that does not see the folder of inputs starts the container without it, and inputs come over HTTP', async () => {
  const mounts: unknown[] = []
  const limits = { ...defaultLimits, buildMemoryBytes: 0 }
  const engine = new DockerEngine({ owner, folder, socket: join(folder, 'docker.sock'), limits })
  await engineOn(async (request, response) => {
    const answer = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body))
    const [body, url] = [await text(request), request.url ?? '']
    if (url.startsWith('/networks')) return answer(200, [])
    if (url.startsWith('/images/')) return answer(200, { Config: { User: '' } })
    if (url.startsWith('/containers/create')) {
      const { HostConfig } = JSON.parse(body) as { HostConfig: { Mounts: { Source: string }[] } }
      mounts.push(HostConfig.Mounts.map(({ Source }) => Source))
      if (HostConfig.Mounts.length === 0) return answer(201, { Id: id })
      return answer(400, { message: 'invalid mount config for type "bind": bind source path does not exist: /x' })
    }
    if (url.endsWith('/start')) return answer(204, undefined)
    const Labels = { 'io.origami.owner': owner, 'io.origami.demo': demo, 'io.origami.deployment': deployment }
    const State = { Status: 'running', Running: true }
    answer(200, { Id: id, Image: 'x', Config: { Labels }, State, NetworkSettings: { Ports: {} } })
  }, 5000)
  expect(await start(engine, whole)).toMatchObject({ id, state: 'running' })
  const inputs = join(folder, 'inputs', deployment)
  expect(mounts).toEqual([[inputs], []])
  expect([engine.inputFolder(demo, deployment)?.path, existsSync(inputs)]).toEqual([inputs, false])
})

test('folders of inputs that no container has any more are removed when the engine is opened', async () => {
  const limits = { ...defaultLimits, buildMemoryBytes: 0 }
  const engine = new DockerEngine({ owner, folder, socket: join(folder, 'docker.sock'), limits })
  await mkdir(join(folder, 'inputs/left/file'), { recursive: true })
  await engineOn((_request, response) => void response.end('[]'), 5000)
  await engine.ready(whole)
  expect(await readdir(join(folder, 'inputs'))).toEqual([])
})
