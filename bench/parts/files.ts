import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { execa } from 'execa'
import { request } from 'undici'
import { atLeast, atMost, type Row } from '../measured.ts'
import { dockerSocket } from '../servers/docker-script.ts'
import { hasNginx, startNginx, startNginxBefore } from '../servers/nginx.ts'
import { type Demo, OurWorld } from '../servers/our-world.ts'
import { rssBytes } from '../servers/server.ts'
import { temporaryFolder } from '../servers/temporary-folder.ts'
import type { Part, PartOptions } from './part.ts'
import { round } from './throughput.ts'

const part = 'files'
const megabyte = 1024 ** 2
const megabytes = 100
/** How often each is sent, and how many pass at once while memory is looked at. */
const full = { times: 3, atOnce: 4 }
const quick = { times: 1, atOnce: 2 }
/** With how large files memory is compared, in megabytes. */
const small = 10

type Sizes = typeof full

interface Speed {
  /** Megabytes a second. */
  readonly up: number
  readonly down: number
}

interface Ours {
  readonly alone: Speed
  readonly behindNginx: Speed
  /** The most memory that the web server and the daemon took while large or small files passed, in bytes. */
  readonly memory: { readonly small: number; readonly large: number }
}

export const filesPart: Part = {
  name: part,
  about: `${megabytes} MB up through the web server and back, against nginx behind nginx, and the memory it takes`,
  async open(options, opened) {
    const { say } = options
    const sizes: Sizes = options.isQuick ? quick : full
    if (!hasNginx()) return async () => ({ rows: [], notes: ['Files were not measured: nginx was not there.'] })
    const hasDocker = existsSync(dockerSocket)
    const docker = hasDocker ? opened.use(await OurWorld.start({ engine: 'docker' })) : undefined
    const weigh = await docker?.deploy('bench/models/weigh', 'weigh')
    return async () => {
      await using folder = await temporaryFolder()
      const [theirs, ours] = [await nginxSpeed(folder.path, sizes), await measureOurs(folder.path, sizes, options)]
      const told = ({ up, down }: Speed) => `up ${round(up)}, down ${round(down)} MB/s`
      say(`  ${told(ours.alone)}; behind nginx ${told(ours.behindNginx)}; nginx behind nginx ${told(theirs)}`)
      return {
        rows: [
          ...(docker && weigh ? [await copiesRow(docker, weigh)] : []),
          ...speedRows('', ours.alone, theirs),
          ...speedRows(', behind nginx', ours.behindNginx, theirs),
          memoryRow(ours, sizes),
        ],
        notes: hasDocker ? [] : ['How often a file stands on the host was not measured: docker was not there.'],
      }
    }
  },
}

/** The web server is to the daemon what nginx in front is to the one that stores. */
function speedRows(where: string, ours: Speed, theirs: Speed): Row[] {
  return (['up', 'down'] as const).map((direction) => ({
    part,
    what: `${megabytes} MB ${direction}${where}`,
    unit: 'MB/s',
    ours: ours[direction],
    peer: { name: 'nginx behind nginx', value: theirs[direction] },
    goal: atLeast(0.5),
  }))
}

const memoryRow = ({ memory }: Ours, { atOnce }: Sizes): Row => ({
  part,
  what: `memory while ${atOnce} of ${megabytes} MB pass at once`,
  unit: 'MB',
  ours: memory.large / megabyte,
  peer: { name: `of ${small} MB`, value: memory.small / megabyte },
  goal: atMost(1.2),
})

/** How often a file stands on a host where demos run in Docker, while one has it for its input. */
async function copiesRow({ world: { folder } }: OurWorld, demo: Demo): Promise<Row> {
  const before = await bytesIn(folder)
  const url = `${demo.url}/files/${crypto.randomUUID()}/bench.bin`
  await send(url, contentOf(megabytes))
  const done = new AbortController()
  const most = mostBytesIn(folder, done.signal)
  const { size, temporary } = await predict(demo.url, { paper: url })
  done.abort()
  const copies = ((await most) - before + temporary) / size
  return {
    part,
    what: `an input of ${megabytes} MB, with docker`,
    unit: 'times on the host',
    ours: copies,
    goal: atMost(1.1),
  }
}

async function predict(url: string, input: Record<string, string>): Promise<{ size: number; temporary: number }> {
  const headers = { 'content-type': 'application/json' }
  const { body } = await request(`${url}/predictions`, { method: 'POST', headers, body: JSON.stringify({ input }) })
  const answer = (await body.json()) as { status: string; output: { size: number; temporary: number } }
  if (answer.status !== 'succeeded')
    throw new Error(`expected a prediction that succeeded, got ${JSON.stringify(answer)}`)
  return answer.output
}

async function mostBytesIn(folder: string, signal: AbortSignal): Promise<number> {
  let most = 0
  do most = Math.max(most, await bytesIn(folder))
  while (!signal.aborted)
  return most
}

/** What all files of a folder take on the disk. Of hard links to one file it is counted once. */
async function bytesIn(folder: string): Promise<number> {
  // What goes while it is looked at is an error that says nothing about the rest.
  const { stdout } = await execa('du', ['--summarize', '--block-size=1', folder], { reject: false })
  return Number.parseInt(stdout, 10)
}

async function nginxSpeed(folder: string, { times }: Sizes): Promise<Speed> {
  await using store = await startNginx(join(folder, 'store'))
  await using front = await startNginxBefore(store.url, join(folder, 'front'))
  return await speedOf((time) => `${front.url}/file-${time}`, times)
}

async function measureOurs(folder: string, { times, atOnce }: Sizes, options: PartOptions): Promise<Ours> {
  await using opened = new AsyncDisposableStack()
  const world = await options.world(opened)
  const demo = await world.deploy('bench/models/echo', 'files')
  const newFile = () => `${demo.url}/files/${crypto.randomUUID()}/bench.bin`
  const alone = await speedOf(newFile, times)
  await using front = await startNginxBefore(new URL(demo.url).origin, join(folder, 'front'))
  const behindNginx = await speedOf(() => front.url + new URL(newFile()).pathname, times)
  const memory = {
    small: await mostMemory(world, newFile, { size: small, atOnce }),
    large: await mostMemory(world, newFile, { size: megabytes, atOnce }),
  }
  return { alone, behindNginx, memory }
}

/** The fastest of some times, each another file. */
async function speedOf(urlOf: (time: number) => string, times: number): Promise<Speed> {
  let [up, down] = [0, 0]
  for (let time = 0; time < times; time += 1) {
    const [url, bytes] = [urlOf(time), contentOf(megabytes)]
    up = Math.max(up, megabytes / (await seconds(() => send(url, bytes))))
    down = Math.max(down, megabytes / (await seconds(() => fetch(url, bytes.length))))
  }
  return { up, down }
}

/** The most memory that web server and daemon take while as many bytes pass in files of this size, up and down. */
async function mostMemory(
  world: OurWorld,
  newFile: () => string,
  { size, atOnce }: { size: number; atOnce: number },
): Promise<number> {
  const bytes = contentOf(size)
  const passing = new AbortController()
  const watched = watch(world, passing.signal)
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let sent = 0; sent < megabytes; sent += size) {
        const url = newFile()
        await send(url, bytes)
        await fetch(url, bytes.length)
      }
    }),
  )
  passing.abort()
  return await watched
}

async function watch(world: OurWorld, signal: AbortSignal): Promise<number> {
  const [web, daemon] = [await world.pid('web'), await world.pid('daemon')]
  let most = 0
  while (!signal.aborted) {
    most = Math.max(most, (await rssBytes(web)) + (await rssBytes(daemon)))
    await setTimeout(20)
  }
  return most
}

/** Bytes that no other call returns. */
const contentOf = (size: number): Buffer => Buffer.alloc(size * megabyte, crypto.randomUUID())

async function send(url: string, bytes: Buffer): Promise<void> {
  const headers = { 'content-type': 'application/octet-stream' }
  const { statusCode, body } = await request(url, { method: 'PUT', body: bytes, headers })
  const answer = await body.text()
  if (statusCode !== 201) throw new Error(`expected 201, got ${statusCode} ${answer}`)
}

async function fetch(url: string, length: number): Promise<void> {
  const { body } = await request(url)
  let read = 0
  for await (const chunk of body) read += (chunk as Buffer).length
  if (read !== length) throw new Error(`expected ${length} bytes, got ${read}`)
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const begun = performance.now()
  await work()
  return (performance.now() - begun) / 1000
}
