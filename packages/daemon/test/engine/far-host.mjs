// Listens at all addresses of its network namespace, on the ports of its arguments, and says once that it does.
import { once } from 'node:events'
import { createServer } from 'node:net'

for (const port of process.argv.slice(2)) {
  const server = createServer((socket) => socket.on('error', () => {}).end('here'))
  await once(server.listen(Number(port), '::'), 'listening')
}
console.log('listening')
