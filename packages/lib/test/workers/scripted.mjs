import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'

/**
 * A worker that does what its text says, for tests of the pool: real frames over a real pipe, without a model behind
 * them.
 * `SETUP` is a file: while it is there its text is why setup fails, or `hang`. `WORKER` is JSON: `slots`, `ahead`,
 * `concurrency`, `title`. With `ahead` its demo has no files.
 */
const { SETUP = '', WORKER = '{}' } = process.env
const { slots, ahead, concurrency = 1, title = 'Scripted' } = JSON.parse(WORKER)
const runtime = new Socket({ fd: 3 })
const sent = new Socket({ fd: 4 })
const held = new Map()
/** The calls that wait here for their turn. */
let waiting = []

const field = (name, component, required) => ({ name, label: name, component, options: {}, required })
send({
  type: 'schema',
  schema: {
    api: 1,
    ...(title === null ? {} : { title }),
    description: '',
    inputs: [field('say', 'text', true), ...(ahead ? [] : [field('paper', 'file', false)])],
    outputs: [field('said', 'text', false), ...(ahead ? [] : [field('copy', 'file', false)])],
    examples: [],
    streaming: false,
    concurrency,
  },
})

const problem = existsSync(SETUP) ? readFileSync(SETUP, 'utf8') : undefined
if (problem === undefined) {
  mark('setup')
  send({ type: 'ready', slots, ahead })
} else if (problem === 'hang') setInterval(() => undefined, 60_000)
else {
  mark('setup')
  send({ type: 'setup_failed', error: problem, traceback: problem })
  runtime.end()
  sent.end()
}

let rest = Buffer.alloc(0)
runtime.on('data', (bytes) => {
  rest = Buffer.concat([rest, bytes])
  while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE()) {
    const end = 4 + rest.readUInt32BE()
    take(JSON.parse(rest.toString('utf8', 4, end)))
    rest = rest.subarray(end)
  }
})
runtime.on('end', () => process.exit(0))

function take(message) {
  if (message.type === 'cancel') cancel(message.id)
  else waiting.push(message)
  next()
}

function next() {
  while (waiting.length > 0 && (!ahead || held.size < (slots ?? 1))) predict(waiting.shift())
}

function cancel(id) {
  const before = waiting.length
  waiting = waiting.filter((call) => call.id !== id)
  if (waiting.length < before) return send({ type: 'canceled', id, marked: false })
  if (!held.has(id) || held.get(id).say === 'ignore') return
  held.delete(id)
  mark(id)
  send({ type: 'canceled', id })
}

function predict({ id, input, outbox }) {
  const { say } = input
  const done = (output) => {
    held.delete(id)
    mark(id)
    send({ type: 'done', id, output })
  }
  const file = join(outbox, 'out.txt')
  held.set(id, input)
  switch (say) {
    case 'wait':
    case 'ignore':
      return
    case 'die':
      return process.exit(7)
    case 'end late': {
      // What the next one prints comes before the end of this one.
      process.stdout.write('of the first\n')
      mark(id)
      process.stdout.write('of the second\n')
      process.stderr.write('an error of the second\n')
      setTimeout(() => {
        held.delete(id)
        send({ type: 'done', id, output: { said: 'late' } })
        next()
      }, 20)
      return
    }
    case 'large':
      return done({ said: 'x'.repeat(100_000) })
    case 'grows':
      for (let count = 0; count < 40; count += 1)
        send({ type: 'output', id, field: 'said', mode: 'append', chunk: 'x'.repeat(1024 ** 2) })
      return
    case 'together': {
      send({ type: 'log', id, source: 'stdout', text: `heard ${id}\n` })
      const both = [...held].filter(([, { say }]) => say === 'together')
      for (const [other] of both.length < 2 ? [] : both) {
        held.delete(other)
        send({ type: 'done', id: other, output: { said: String(process.pid) } })
      }
      return
    }
    case 'parts, then fail':
      send({ type: 'progress', id, done: 1, total: 2, note: 'half' })
      for (const chunk of ['a', 'b']) send({ type: 'output', id, field: 'said', mode: 'append', chunk })
      mark(id)
      return send({ type: 'failed', id, error: 'no more', traceback: 'at line 3: no more' })
    case 'nonsense':
      send({ type: 'weather', id, rain: true })
      send([1, 2, 3])
      return done({ said: 'after nonsense' })
    case 'wrong end':
      mark(id)
      return send({ type: 'done', id, output: 5 })
    case 'wrong value':
      return done({ said: 5 })
    case 'too much': {
      const head = Buffer.alloc(4)
      head.writeUInt32BE(100 * 1024 ** 2)
      return sent.write(head)
    }
    case 'not json':
      return sent.write(Buffer.from([0, 0, 0, 1, 0x7b]))
    case 'close':
      runtime.destroy()
      return sent.destroy()
    case 'lost part':
      return send({ type: 'output', id, field: 'copy', mode: 'replace', chunk: { path: join(outbox, 'nothing.txt') } })
    case 'lost file':
      return done({ said: say, copy: { path: join(outbox, 'nothing.txt') } })
    case 'link':
      symlinkSync('/etc/hostname', file)
      return done({ said: say, copy: { path: file } })
    case 'folder':
      return done({ said: say, copy: { path: outbox } })
    case 'file':
      writeFileSync(file, 'x'.repeat(1000))
      return done({ said: say, copy: { path: file } })
    case 'outbox':
      return done({ said: outbox })
    case 'file later':
      writeFileSync(file, 'later')
      return send({ type: 'output', id, field: 'copy', mode: 'replace', chunk: { path: file } })
    default:
      return done({ said: say })
  }
}

function send(message) {
  const body = Buffer.from(JSON.stringify(message))
  const head = Buffer.alloc(4)
  head.writeUInt32BE(body.length)
  sent.write(Buffer.concat([head, body]))
}

function mark(id) {
  process.stdout.write(`\u001e${id}\n`)
  process.stderr.write(`\u001e${id}\n`)
}
