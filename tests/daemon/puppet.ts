import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const schema = {
  api: 1,
  title: 'Puppet',
  description: '',
  inputs: [],
  outputs: [{ name: 'said', label: 'Said', component: 'text', options: {}, required: true }],
  examples: [],
  streaming: false,
  concurrency: 1,
}

/** A runtime in one file that a test leads by the files in a folder. */
export class Puppet {
  private readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  /** What its bundle has: takes connections, and answers as a runtime does, but for what the folder says. */
  get files(): Record<string, string> {
    return { 'origami/server.mjs': source(this.folder) }
  }

  /**
   * `broken`: it exits at once. `refuses`: it takes no predictions. `runs on`: it ends none, whatever it is told. `deaf
   * <path>`: it takes what is asked there and never answers. `health`: what it says instead of READY.
   */
  async set(what: 'broken' | 'refuses' | 'runs on' | `deaf ${string}` | 'health', value: object = {}): Promise<void> {
    const path = join(this.folder, encodeURIComponent(what))
    await mkdir(dirname(path), { recursive: true })
    // The file must appear complete, because the puppet may be asked at this very moment.
    await writeFile(`${path}.new`, JSON.stringify(value))
    await rename(`${path}.new`, path)
  }

  /** How often it was asked for its health. */
  async asked(): Promise<number> {
    return (await readFile(`${this.folder}.asked`, 'utf8').catch(() => '')).length
  }

  async clear(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}

const source = (folder: string) => `import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
const file = (what) => ${JSON.stringify(`${folder}/`)} + encodeURIComponent(what)
if (existsSync(file('broken'))) {
  console.log('the weights are away')
  process.exit(7)
}
const health = () => (existsSync(file('health')) ? JSON.parse(readFileSync(file('health'), 'utf8')) : {})
const answers = {
  '/': () => ({ origami: { api: 1 } }),
  '/health-check': () => ({ status: 'READY', setup: null, version: {}, ...health() }),
  '/schema': () => (${JSON.stringify(schema)}),
}
const prediction = (request, response) => {
  const [, , id, events] = request.url.split('?')[0].split('/')
  const refuses = request.method === 'PUT' && existsSync(file('refuses'))
  const runsOn = events === 'events' && existsSync(file('runs on'))
  const now = new Date().toISOString()
  const times = { created_at: now, started_at: now, completed_at: now }
  const nothing = { error: null, reason: null, logs: '', metrics: {}, deployment: null, commit: null, queue: null }
  const snapshot = JSON.stringify({ id, status: 'succeeded', input: {}, output: 'done', ...times, ...nothing })
  response.statusCode = refuses ? 503 : request.method === 'PUT' ? 202 : 200
  response.setHeader('content-type', events === 'events' ? 'text/event-stream' : 'application/json')
  const completed = 'id: 1\\nevent: completed\\ndata: '
  const start = 'id: 1\\nevent: start\\ndata: ' + JSON.stringify({ id, status: 'processing' })
  if (runsOn) return response.write(start + '\\n\\n')
  request.resume().on('end', () =>
    response.end(refuses ? '{"detail":"not now"}' : events === 'events' ? completed + snapshot + '\\n\\n' : snapshot))
}
const server = createServer((request, response) => {
  if (request.url === '/health-check') appendFileSync(${JSON.stringify(`${folder}.asked`)}, '.')
  if (existsSync(file('deaf ' + request.url))) return
  if (request.url.startsWith('/predictions/')) return prediction(request, response)
  response.setHeader('content-type', 'application/json')
  response.statusCode = answers[request.url] ? 200 : 404
  response.end(JSON.stringify(answers[request.url]?.() ?? {}))
})
server.listen(0, '127.0.0.1', () => writeFileSync(process.env.ORIGAMI_PORT_FILE, String(server.address().port)))
`
