import { get } from 'node:http'

/**
 * People who watch their places: a process that reads the events of predictions until it is ended. It is given their
 * addresses, one a line, and prints a line once all of them are answered.
 */
process.stdin.setEncoding('utf8')
let lines = ''
for await (const text of process.stdin) lines += text
const urls = lines.split('\n').filter(Boolean)
let answered = 0
for (const url of urls)
  get(url, { headers: { accept: 'text/event-stream' } }, (response) => {
    response.resume()
    answered += 1
    if (answered === urls.length) console.log('watching')
    // The demo's end ends the stream, and nothing is left to do.
    response.on('error', () => undefined)
  }).on('error', (error) => {
    console.error(`${url} cannot be watched: ${error.message}`)
    process.exit(1)
  })
