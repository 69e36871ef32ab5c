// Owns one instance: its child, its log files and its exit record. Runs detached, outlives the daemon, and is copied beside the instances so that
// nothing of them runs out of a checkout. Plain JavaScript with nothing but Node. Arguments: the instance's folder, a nonce.
import { spawn } from 'node:child_process'
import { appendFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.argv[2]
const { command, args, cwd, env } = JSON.parse(readFileSync(join(folder, 'spec.json'), 'utf8'))
const maxFileBytes = 1024 * 1024
const maxFiles = 8

let written = 0
let file = logFile(0)
let fileBytes = 0

const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
for (const stream of [child.stdout, child.stderr]) lines(stream)
// The group is told to end; the child hears it too, and this waits for it.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => undefined)
child.once('error', (error) => log(`could not be started: ${error.message}`))
child.once('close', (code, signal) => record({ code: code ?? (signal ? 128 : null), at: new Date().toISOString() }))

function record(exit) {
  writeFileSync(join(folder, 'exit.json.new'), JSON.stringify(exit))
  renameSync(join(folder, 'exit.json.new'), join(folder, 'exit.json'))
}

function lines(stream) {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (text) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop().slice(-64 * 1024)
    for (const line of parts) log(line)
  })
  stream.on('end', () => rest && log(rest))
}

/** Files are named by the offset of their first byte; the oldest go. */
function log(line) {
  const bytes = Buffer.from(`${new Date().toISOString()} ${line}\n`)
  if (fileBytes > maxFileBytes) {
    file = logFile(written)
    fileBytes = 0
    for (const old of logFiles().slice(0, -maxFiles)) rmSync(join(folder, old), { force: true })
  }
  appendFileSync(file, bytes, { mode: 0o600 })
  written += bytes.length
  fileBytes += bytes.length
}

function logFile(start) {
  return join(folder, `log-${String(start).padStart(16, '0')}`)
}

function logFiles() {
  return readdirSync(folder)
    .filter((name) => name.startsWith('log-'))
    .sort()
}
