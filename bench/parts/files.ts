import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { atLeast, type Row } from '../measured.ts'
import { hasNginx, startNginx } from '../servers/nginx.ts'
import { OurWorld } from '../servers/our-world.ts'
import type { Part } from './part.ts'
import { round } from './throughput.ts'

const part = 'files'
const megabytes = 100
const times = 3

interface Speed {
  /** Megabytes a second. */
  readonly up: number
  readonly down: number
}

export const filesPart: Part = {
  name: part,
  about: `${megabytes} MB up through the web server and back, against nginx`,
  async measure({ say }) {
    if (!hasNginx()) {
      say('  nginx is not here: apt-get install nginx-light')
      return { rows: [], notes: ['Files were not measured: nginx was not there.'] }
    }
    const [theirs, ours] = [await nginxSpeed(), await ourSpeed()]
    const row = (direction: 'up' | 'down'): Row => ({
      part,
      what: `${megabytes} MB ${direction}`,
      unit: 'MB/s',
      ours: ours[direction],
      peer: { name: 'nginx', value: theirs[direction] },
      goal: atLeast(0.5),
    })
    say(`  up ${round(ours.up)}, down ${round(ours.down)} MB/s; nginx ${round(theirs.up)} and ${round(theirs.down)}`)
    return { rows: [row('up'), row('down')] }
  },
}

async function nginxSpeed(): Promise<Speed> {
  const folder = await mkdtemp(join(tmpdir(), 'origami-bench-'))
  try {
    await using server = await startNginx(folder)
    return await speedOf((time) => `${server.url}/file-${time}`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function ourSpeed(): Promise<Speed> {
  await using world = await OurWorld.start()
  const demo = await world.deploy('bench/models/echo', 'echo')
  return await speedOf(() => `${demo.url}/files/${crypto.randomUUID()}/bench.bin`)
}

/** The fastest of some times, each another file. */
async function speedOf(urlOf: (time: number) => string): Promise<Speed> {
  const bytes = Buffer.alloc(megabytes * 1024 ** 2, 'origami')
  let [up, down] = [0, 0]
  for (let time = 0; time < times; time += 1) {
    const url = urlOf(time)
    const sent = await seconds(async () => {
      const { statusCode, body } = await request(url, {
        method: 'PUT',
        body: bytes,
        headers: { 'content-type': 'application/octet-stream' },
      })
      const answer = await body.text()
      if (statusCode !== 201) throw new Error(`expected 201, got ${statusCode} ${answer}`)
    })
    const got = await seconds(async () => {
      const { body } = await request(url)
      let length = 0
      for await (const chunk of body) length += (chunk as Buffer).length
      if (length !== bytes.length) throw new Error(`expected ${bytes.length} bytes, got ${length}`)
    })
    up = Math.max(up, megabytes / sent)
    down = Math.max(down, megabytes / got)
  }
  return { up, down }
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const begun = performance.now()
  await work()
  return (performance.now() - begun) / 1000
}
