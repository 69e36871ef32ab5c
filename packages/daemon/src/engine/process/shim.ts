// Supervises one instance: its child process, its log files and its exit record. It runs detached, outlives the daemon,
// and is copied beside the instances so that nothing of them runs out of a checkout. It needs only Node and `lines.ts`,
// which is copied with it. Its arguments are the instance's folder and a nonce.
import { spawn } from 'node:child_process'
import { appendFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Lines } from '../../logs/lines.ts'

interface Spec {
  readonly command: string
  readonly args: string[]
  readonly cwd: string
  readonly env: Record<string, string>
  readonly lineBytes: number
  /** The largest amount of output, in bytes, that is kept unread. */
  readonly logBytes: number
}

const folder = process.argv[2] as string
const { command, args, cwd, env, lineBytes, logBytes } = JSON.parse(
  readFileSync(join(folder, 'spec.json'), 'utf8'),
) as Spec
const maxFiles = 8
const maxFileBytes = Math.ceil(logBytes / maxFiles)

let written = 0
let file = logFile(0)
let fileBytes = 0

const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
for (const stream of [child.stdout, child.stderr]) follow(stream)
// The signal goes to the whole process group, so the child gets it too. The shim waits for the child.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined)
child.once('error', (error) => log([`could not be started: ${error.message}`]))
child.once('close', (code, signal) => record({ code: code ?? (signal ? 128 : null), at: new Date().toISOString() }))

function record(exit: { code: number | null; at: string }): void {
  writeFileSync(join(folder, 'exit.json.new'), JSON.stringify(exit))
  renameSync(join(folder, 'exit.json.new'), join(folder, 'exit.json'))
}

/** Each piece is written before more is read, so that the child waits for the disk. */
function follow(stream: Readable): void {
  const lines = new Lines({ maxBytes: lineBytes })
  stream.on('data', (bytes: Buffer) => log(lines.push(bytes)))
  stream.on('end', () => log(lines.end()))
}

function log(lines: readonly string[]): void {
  if (lines.length === 0) return
  try {
    append(lines)
  } catch {
    // The disk is full, or the folder is gone. These lines are lost, the child goes on, and the next lines are tried
    // again.
  }
}

/** Files are named by the offset of their first byte. The oldest are removed. */
function append(lines: readonly string[]): void {
  const stamp = new Date().toISOString()
  const bytes = Buffer.from(lines.map((line) => `${stamp} ${line}\n`).join(''))
  if (fileBytes > maxFileBytes) {
    file = logFile(written)
    fileBytes = 0
    for (const old of logFiles().slice(0, -maxFiles)) rmSync(join(folder, old), { force: true })
  }
  appendFileSync(file, bytes, { mode: 0o600 })
  written += bytes.length
  fileBytes += bytes.length
}

function logFile(start: number): string {
  return join(folder, `log-${String(start).padStart(16, '0')}`)
}

function logFiles(): string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith('log-'))
    .sort()
}
