import { createServer } from 'node:net'
import { join } from 'node:path'

/** Tells what `read` returns to each that connects to this Unix socket: one line of JSON. */
export function tellAt(path, read) {
  createServer((socket) => socket.end(`${JSON.stringify(read())}\n`))
    .listen(path)
    .unref()
}

/** Tells it at FOLDER/daemon.sock, in a process that was started as `main.ts daemon --data FOLDER …`. */
export function tell(read) {
  const [, , verb, ...flags] = process.argv
  tellAt(join(flags[flags.indexOf('--data') + 1], `${verb}.sock`), read)
}
