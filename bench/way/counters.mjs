import diagnostics from 'node:diagnostics_channel'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'

/**
 * Counts what this process does, from its start on, and tells it to whoever connects to `open(path)`: one line of JSON.
 * Imported before everything else, so that all are counted; in plain JavaScript, since a runtime in a bundle has no
 * packages of ours.
 */
const counts = {
  requests: 0,
  connections: 0,
  calls: 0,
  prepares: 0,
  statements: 0,
  commits: 0,
  parses: 0,
  parsedBytes: 0,
  stringifies: 0,
  stringifiedBytes: 0,
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
    note(text)
    return exec.call(this, text)
  }
}

function wrap(prototype) {
  for (const method of ['run', 'get', 'all', 'iterate']) {
    const original = prototype[method]
    prototype[method] = function (...parameters) {
      note(this.source)
      // A change outside of a transaction is one by itself.
      if (!this.readonly && !this.database.inTransaction) counts.commits += 1
      return original.apply(this, parameters)
    }
  }
}

function note(text) {
  if (/^\s*commit/i.test(text)) counts.commits += 1
  else if (!/^\s*(begin|rollback|pragma)/i.test(text)) counts.statements += 1
}

/** Tells the counts to each that connects to this Unix socket. */
export function open(path) {
  createServer((socket) => {
    const { user, system } = process.cpuUsage()
    socket.end(`${stringify({ ...counts, cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() })}\n`)
  })
    .listen(path)
    .unref()
}
