import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { setTimeout } from 'node:timers/promises'

// Serves one package of npm's, and answers once the file `gate` is there: so that a test decides how long a build
// takes.
const [, , tarball, gate] = process.argv
const server = createServer(async (_request, response) => {
  console.log('asked')
  while (!existsSync(gate)) await setTimeout(20)
  response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(await readFile(tarball))
})
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`))
