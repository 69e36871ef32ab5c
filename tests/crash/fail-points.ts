import type { execFile, spawn } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'

/**
 * Imported by a daemon before everything else. Each call that changes something outside of its memory is a fail-point
 * of its own, before it and after it: every file that is written, moved or removed, every program that is started,
 * every commit, by the tables that it wrote. Calls are found by what they call, so a new one is a point at once.
 *
 * `points.log` in the state folder gets a line for each point that is passed. When `point` in it names one, that file
 * becomes `killed`, and the daemon is killed there (SIGKILL).
 */
const folder = process.argv[process.argv.indexOf('--data') + 1] ?? ''
const { existsSync, readFileSync, renameSync, writeSync } = fs
const log = fs.openSync(join(folder, 'points.log'), 'a')
const wanted = join(folder, 'point')

function pass(point: string): void {
  writeSync(log, `${point}\n`)
  if (!existsSync(wanted) || readFileSync(wanted, 'utf8') !== point) return
  renameSync(wanted, join(folder, 'killed'))
  process.kill(process.pid, 'SIGKILL')
}

/** The nearest line of ours that calls, as `deploy/checkout.ts:41`. Undefined: none of ours does. */
function caller(): string | undefined {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 30
  const { stack = '' } = new Error()
  Error.stackTraceLimit = limit
  return /packages\/(?:\w+)\/src\/([\w/.-]+:\d+)/.exec(stack)?.[1]
}

/** Whether a call that has points is under way in this turn: what it calls itself has none of its own. */
let isWithin = false

type Call = (...args: never[]) => unknown

/** `name` says what is called. Undefined: this call changes nothing. */
function around<Fn extends Call>(call: Fn, name: (args: Parameters<Fn>) => string | undefined): Fn {
  const wrapped = function (this: unknown, ...args: Parameters<Fn>): unknown {
    const what = name(args)
    const where = what === undefined || isWithin ? undefined : caller()
    if (where === undefined) return call.apply(this, args)
    const point = `${what} ${where}`
    pass(`before ${point}`)
    isWithin = true
    let result: unknown
    try {
      result = call.apply(this, args)
    } finally {
      isWithin = false
    }
    if (!(result instanceof Promise)) pass(`after ${point}`)
    else
      return result.then((value) => {
        pass(`after ${point}`)
        return value
      })
    return result
  }
  return wrapped as unknown as Fn
}

/** Replaces functions of an object by themselves, with points around them. */
function watch<Name extends string>(
  of: Record<Name, unknown>,
  names: readonly Name[],
  name: (call: Name, args: readonly unknown[]) => string | undefined = (call) => call,
): void {
  for (const each of names) of[each] = around(of[each] as Call, (args) => name(each, args))
}

const changing = ['writeFile', 'appendFile', 'rename', 'rm', 'mkdir', 'mkdtemp', 'copyFile', 'cp', 'link'] as const
const more = ['symlink', 'unlink', 'chmod', 'chown', 'truncate', 'utimes', 'rmdir'] as const
const reads = (flags: unknown) => flags === undefined || flags === 'r' || flags === fs.constants.O_RDONLY
watch(fs.promises as never, [...changing, ...more] as never)
watch(fs as never, [...changing, ...more].map((name) => `${name}Sync`) as never)

const { open } = fs.promises
fs.promises.open = async (...args) => {
  const isChanging = typeof args[1] === 'number' ? (args[1] & 3) !== 0 : !reads(args[1])
  const file = await (isChanging ? around(open, () => 'open') : open)(...args)
  watch(file as never, ['write', 'writev', 'writeFile', 'appendFile', 'truncate', 'sync', 'datasync'] as never)
  return file
}

// What is asked of Docker. `after`: its answer begins.
const request = http.request as Call
http.request = ((...args: never[]) => {
  const [{ socketPath, method = 'GET', path = '' } = {} as http.RequestOptions] = args as readonly http.RequestOptions[]
  if (!socketPath || method === 'GET' || method === 'HEAD') return request(...args)
  const [asked = ''] = (path ?? '').split('?')
  const point = `docker ${method} ${asked.replace(/\/v[\d.]+|[^/]*\d[^/]*/g, '')}`
  pass(`before ${point}`)
  return (request(...args) as http.ClientRequest).once('response', () => pass(`after ${point}`))
}) as typeof http.request

const children = createRequire(import.meta.url)('node:child_process') as {
  spawn: typeof spawn
  execFile: typeof execFile
}
const programs = (_call: string, [command]: readonly unknown[]) => `start ${String(command).split('/').at(-1)}`
watch(children as never, ['spawn', 'execFile'] as never, programs)
syncBuiltinESMExports()

interface Statement {
  readonly readonly: boolean
  run(...args: unknown[]): unknown
  all(...args: unknown[]): unknown
}

/** Of each connection, what its open transaction wrote. Undefined: none is open. */
const written = new WeakMap<object, Set<string> | undefined>()
const Database = createRequire(join(import.meta.dirname, '../../packages/host/package.json'))('better-sqlite3')
const { prepare } = Database.prototype
Database.prototype.prepare = function (this: object, text: string): Statement {
  const statement: Statement = prepare.call(this, text)
  const verb = /^\s*(begin|commit|rollback)/i.exec(text)?.[1]?.toLowerCase()
  const change = /^\s*(insert|update|delete)\b.*?"(\w+)"/is.exec(text)
  if (!verb && !change) return statement
  for (const call of ['run', 'all'] as const) {
    const before = statement[call].bind(statement)
    statement[call] = (...args) => {
      const open = written.get(this)
      if (verb === 'begin') written.set(this, new Set())
      if (verb === 'rollback') written.set(this, undefined)
      if (change && open) open.add(`${change[1]} ${change[2]}`.toLowerCase())
      const commits = change && !open ? [`${change[1]} ${change[2]}`.toLowerCase()] : verb === 'commit' ? open : []
      for (const one of commits ?? []) pass(`before commit of ${one}`)
      const result = before(...args)
      if (verb === 'commit') written.set(this, undefined)
      for (const one of commits ?? []) pass(`after commit of ${one}`)
      return result
    }
  }
  return statement
}
