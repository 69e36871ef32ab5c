import { createServer } from 'node:net'

// No server at all: the same bytes for whatever comes. What the load generator gets of it is the most that it can make.
const answer = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 14\r\n\r\n{"output":"x"}'
createServer((socket) => {
  socket.setNoDelay(true)
  socket.on('data', () => socket.write(answer))
  socket.on('error', () => socket.destroy())
}).listen(Number(process.argv[2]), '127.0.0.1')
