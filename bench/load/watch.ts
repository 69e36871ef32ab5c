import { get } from 'node:http'
import { readEvents } from '@origami/host/read-events'

/**
 * People who watch their places: a process that reads the events of predictions until it is ended. It is given their
 * addresses, one a line, and prints a line once all of them are answered. With `tell` it prints each place that came
 * then, as JSON `{"watcher": 0, "place": 12, "at": 1764506000000}`, watchers by the order of their addresses.
 */
const isTelling = process.argv[2] === 'tell'
process.stdin.setEncoding('utf8')
let lines = ''
for await (const text of process.stdin) lines += text
const urls = lines.split('\n').filter(Boolean)
let answered = 0
for (const [watcher, url] of urls.entries())
  get(url, { headers: { accept: 'text/event-stream' } }, (response) => {
    answered += 1
    if (answered === urls.length) console.log('watching')
    // The demo's end ends the stream, and nothing is left to do.
    response.on('error', () => undefined)
    if (isTelling) tell(watcher, response).catch(() => undefined)
    else response.resume()
  }).on('error', (error) => {
    console.error(`${url} cannot be watched: ${error.message}`)
    process.exit(1)
  })

async function tell(watcher: number, body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const { event, data } of readEvents(body)) {
    if (event !== 'queue') continue
    const { position } = JSON.parse(data) as { position: number }
    console.log(JSON.stringify({ watcher, place: position, at: Date.now() }))
  }
}
