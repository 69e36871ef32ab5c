// A program that stands where a bundle's runtime stands: it does what its address says, and tells what it finds around
// itself.
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'

const { PORT, ORIGAMI_HOST, ORIGAMI_PORT_FILE } = process.env
const kept = []

const acts = {
  say: ({ text }) => console.log(text),
  repeat: ({ text, times }) => void process.stdout.write(text.repeat(Number(times))),
  // Output that was not read yet is still in this process and would be lost with it.
  exit: ({ code }) => setImmediate(() => process.stdout.write('', () => process.exit(Number(code)))),
  deaf: () => void process.on('SIGTERM', () => console.log('not now')),
  grow: () => {
    for (;;) kept.push(Buffer.alloc(8 * 1024 ** 2, 1))
  },
  environment: () => process.env,
  exists: ({ path }) => existsSync(path),
  read: ({ path }) => readFileSync(path, 'utf8'),
  write: ({ path }) => attempt(() => writeFileSync(path, 'x')),
  fill: ({ path, megabytes }) => attempt(() => writeFileSync(path, Buffer.alloc(Number(megabytes) * 1024 ** 2))),
  list: ({ path }) => readdirSync(path),
  // Writes a program and runs it.
  run: ({ path }) => {
    writeFileSync(path, '#!/bin/sh\necho ran\n')
    chmodSync(path, 0o755)
    const { error, stdout } = spawnSync(path)
    return error?.code ?? String(stdout).trim()
  },
  // Starts programs that do not end, at most so many, until one cannot be started.
  forks: async ({ most }) => {
    for (let started = 0; started < Number(most); started += 1) {
      const child = spawn('/bin/sleep', ['1000'])
      const failed = await new Promise((resolve) => child.once('spawn', () => resolve()).once('error', resolve))
      if (failed) return { started, code: failed.code }
    }
    return { started: Number(most) }
  },
  identity: () => ({ uid: process.getuid(), gid: process.getgid() }),
  reach: ({ host, port }) =>
    new Promise((resolve) => {
      const socket = connect({ host, port: Number(port), timeout: 3000 })
      socket.once('connect', () => resolve('reached'))
      socket.once('timeout', () => resolve('silence'))
      socket.once('error', ({ code }) => resolve(code))
      socket.once('close', () => undefined)
    }),
}

function attempt(work) {
  try {
    work()
    return 'done'
  } catch ({ code }) {
    return code
  }
}

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://here')
  const told = await acts[pathname.slice(1)]?.(Object.fromEntries(searchParams))
  response.end(JSON.stringify(told ?? null))
})
process.once('SIGTERM', () => {
  console.log('leaving')
  if (process.listenerCount('SIGTERM') === 0) process.exit(0)
})
server.listen(Number(PORT), ORIGAMI_HOST, () => {
  console.log('listening')
  if (!ORIGAMI_PORT_FILE) return
  writeFileSync(`${ORIGAMI_PORT_FILE}.new`, String(server.address().port))
  renameSync(`${ORIGAMI_PORT_FILE}.new`, ORIGAMI_PORT_FILE)
})
