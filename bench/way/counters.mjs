import diagnostics from 'node:diagnostics_channel'
import fs from 'node:fs'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { TLSSocket } from 'node:tls'

/**
 * Counts what this process does, from its start on. Imported before everything else, so that all are counted; in plain
 * JavaScript, since a runtime in a bundle has no packages of ours.
 */
const counts = {
  /** HTTP requests that were answered, and connections that were accepted. */
  requests: 0,
  connections: 0,
  /** HTTP requests that were made by undici. */
  calls: 0,
  /** Handshakes of TLS that ended, on either side. */
  handshakes: 0,
  prepares: 0,
  statements: 0,
  commits: 0,
  /** See `countSyncs` and `wrap`. */
  fsyncs: 0,
  parses: 0,
  parsedBytes: 0,
  stringifies: 0,
  stringifiedBytes: 0,
  /** Bytes that were copied from one place of this process's memory to another by functions of Buffer. */
  copiedBytes: 0,
}

diagnostics.subscribe('http.server.request.start', () => {
  counts.requests += 1
})
diagnostics.subscribe('net.server.socket', () => {
  counts.connections += 1
})
diagnostics.subscribe('undici:request:create', () => {
  counts.calls += 1
})

// There is no channel for it. Both sides of TLS emit `secure` once their handshake is over.
const { emit } = TLSSocket.prototype
TLSSocket.prototype.emit = function (event, ...values) {
  if (event === 'secure') counts.handshakes += 1
  return emit.call(this, event, ...values)
}

const { parse, stringify } = JSON
JSON.parse = (text, ...others) => {
  counts.parses += 1
  counts.parsedBytes += text?.length ?? 0
  return parse(text, ...others)
}
JSON.stringify = (value, ...others) => {
  const text = stringify(value, ...others)
  counts.stringifies += 1
  counts.stringifiedBytes += text?.length ?? 0
  return text
}

countCopies()
await countSyncs()

/**
 * Copies in C++ cannot be seen from here: those of V8 when it makes a string, and those of the kernel. The latter are
 * `readBytes` and `writtenBytes`.
 */
function countCopies() {
  const { concat, from } = Buffer
  Buffer.concat = (list, ...others) => {
    const whole = concat(list, ...others)
    counts.copiedBytes += whole.length
    return whole
  }
  Buffer.from = (value, ...others) => {
    const made = from(value, ...others)
    // Of an ArrayBuffer it is a view.
    if (!(value instanceof ArrayBuffer)) counts.copiedBytes += made.length
    return made
  }
  for (const method of ['copy', 'write']) {
    const original = Buffer.prototype[method]
    Buffer.prototype[method] = function (...parameters) {
      const bytes = original.apply(this, parameters)
      counts.copiedBytes += bytes
      return bytes
    }
  }
}

/** Every call by which JavaScript asks that a file is on the disk: fsync and fdatasync, and `sync` of file handles. */
async function countSyncs() {
  for (const method of ['fsync', 'fdatasync', 'fsyncSync', 'fdatasyncSync']) {
    const original = fs[method]
    fs[method] = (...parameters) => {
      counts.fsyncs += 1
      return original(...parameters)
    }
  }
  // Those who import the functions by their names get these too.
  syncBuiltinESMExports()
  const handle = await fs.promises.open(import.meta.filename)
  const prototype = Object.getPrototypeOf(handle)
  await handle.close()
  for (const method of ['sync', 'datasync']) {
    const original = prototype[method]
    prototype[method] = function () {
      counts.fsyncs += 1
      return original.call(this)
    }
  }
}

/** Every statement of SQLite, where this process has it. */
export function countStatements() {
  const Database = createRequire(import.meta.url)('better-sqlite3')
  const { prepare, exec } = Database.prototype
  let isWrapped = false
  Database.prototype.prepare = function (text) {
    counts.prepares += 1
    const statement = prepare.call(this, text)
    if (!isWrapped) wrap(Object.getPrototypeOf(statement))
    isWrapped = true
    return statement
  }
  Database.prototype.exec = function (text) {
    note(text, this)
    return exec.call(this, text)
  }
}

function wrap(prototype) {
  for (const method of ['run', 'get', 'all', 'iterate']) {
    const original = prototype[method]
    prototype[method] = function (...parameters) {
      if (isPragma.test(this.source)) return original.apply(this, parameters)
      const { database } = this
      const isOpen = database.inTransaction
      note(this.source, database)
      const found = original.apply(this, parameters)
      if (this.readonly) return found
      changed.add(database)
      // A change outside of a transaction is one by itself.
      if (!isOpen) committed(database)
      return found
    }
  }
}

const isPragma = /^\s*pragma/i
/** The databases with changes that are not committed. */
const changed = new Set()

function note(text, database) {
  if (/^\s*commit/i.test(text)) committed(database)
  else if (/^\s*rollback/i.test(text)) changed.delete(database)
  else if (!/^\s*(begin|pragma)/i.test(text)) counts.statements += 1
}

/**
 * SQLite's own fsyncs cannot be seen from here. With a write-ahead log it makes one for each commit that changed
 * something when `synchronous` is FULL (2), and none when it is NORMAL. Those of a checkpoint, every 1000 pages, are
 * left out. `strace -f -c -e trace=fsync,fdatasync -p PID` counts the same.
 */
function committed(database) {
  counts.commits += 1
  if (changed.delete(database) && database.pragma('synchronous', { simple: true }) >= 2) counts.fsyncs += 1
}

/** What went through system calls: files, pipes and sockets. Elsewhere than on Linux nothing is known of it. */
function throughKernel() {
  const of = (name, text) => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text)?.[1] ?? 0)
  const text = fs.existsSync('/proc/self/io') ? fs.readFileSync('/proc/self/io', 'utf8') : ''
  return {
    reads: of('syscr', text),
    readBytes: of('rchar', text),
    writes: of('syscw', text),
    writtenBytes: of('wchar', text),
  }
}

/** What was counted so far. */
export const counted = () => ({ ...counts, ...throughKernel() })
