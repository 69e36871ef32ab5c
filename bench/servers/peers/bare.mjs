import { createServer } from 'node:http'

// The least that a server of Node's can do: it reads JSON and answers it.
createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (text) => {
    body += text
  })
  request.on('end', () => {
    if (request.method === 'GET') return response.end('{}')
    const answer = JSON.stringify({ output: JSON.parse(body).input.text })
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) })
    response.end(answer)
  })
}).listen(Number(process.argv[2]), '127.0.0.1')
