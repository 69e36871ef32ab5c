import { createInterface } from 'node:readline'
import { PassThrough, type Readable } from 'node:stream'
import { Notice } from '@origami/serving'
import type Docker from 'dockerode'
import type { LogCursor, LogLine } from '../engine.ts'

/** Follows what a container prints, from after the cursor (the time of a line, as Docker stamps it) until it exits. */
export async function* followLog(
  docker: Docker,
  container: string,
  after: LogCursor | undefined,
  signal: AbortSignal,
): AsyncIterable<LogLine & { cursor: LogCursor }> {
  const since = after ? String(Date.parse(after) / 1000) : 0
  const stream = (await docker
    .getContainer(container)
    .logs({ follow: true, stdout: true, stderr: true, timestamps: true, since: since as number })) as unknown as Readable
  const arrived: string[] = []
  const more = new Notice()
  let ended = false
  const end = () => {
    ended = true
    more.notify()
  }
  const stop = () => stream.destroy()
  signal.addEventListener('abort', stop, { once: true })
  const [out, err] = [new PassThrough(), new PassThrough()]
  for (const one of [out, err])
    createInterface(one).on('line', (line) => {
      arrived.push(line)
      more.notify()
    })
  docker.modem.demuxStream(stream, out, err)
  stream.once('end', end).once('close', end).once('error', end)
  try {
    for (;;) {
      const change = more.next(signal)
      for (const line of arrived.splice(0)) {
        const space = line.indexOf(' ')
        const stamp = line.slice(0, space)
        if (after !== undefined && stamp <= after) continue
        yield { at: new Date(stamp), source: 'demo', text: line.slice(space + 1), cursor: stamp }
      }
      if (ended || signal.aborted) return
      await change
    }
  } finally {
    signal.removeEventListener('abort', stop)
    stream.destroy()
  }
}
