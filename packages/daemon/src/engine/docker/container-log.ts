import { Lines, type LinesOptions } from '../../logs/lines.ts'
import type { LogLine } from '../../logs/log-line.ts'
import type { LogCursor } from '../engine.ts'
import { type DockerClient, httpStatusOf, readable } from './docker-client.ts'

/**
 * Follows the output of a container after the cursor (Docker's timestamp of a line) until the container exits. Docker
 * may end the stream of an exiting container before its last lines, so the rest is requested once more.
 */
export async function* followLog(
  client: DockerClient,
  container: string,
  after: LogCursor | undefined,
  options: LinesOptions,
  signal: AbortSignal,
): AsyncIterable<LogLine & { cursor: LogCursor }> {
  let last = after
  for (const isFirst of [true, false]) {
    const since = last ? String(Date.parse(last) / 1000) : 0
    const how = { follow: true, stdout: true, stderr: true, timestamps: true, since } as const
    const asked = client.within(signal).getContainer(container).logs(how)
    const answer = await asked.catch(unlessGone(isFirst))
    if (!answer) return
    const stream = readable(answer)
    try {
      for await (const line of stampedLines(stream, last, options)) {
        last = line.cursor
        yield line
      }
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      stream.destroy()
    }
    if (signal.aborted) return
  }
}

/** A container that was followed to its end may have been removed meanwhile, which is no error. */
const unlessGone =
  (isFirst: boolean) =>
  (error: unknown): undefined => {
    if (isFirst || httpStatusOf(error) !== 404) throw error
    return undefined
  }

/** The lines of one of the two streams. Docker sends one frame for each line, or for each 16 KiB of a long line. */
interface Output {
  readonly lines: Lines
  stamp: string
}

/**
 * The lines of Docker's log stream, read only as fast as they are consumed. `after` is the stamp of the last line that
 * is not wanted.
 */
export async function* stampedLines(
  stream: AsyncIterable<Uint8Array>,
  after: LogCursor | undefined,
  options: LinesOptions = {},
): AsyncIterable<LogLine & { cursor: LogCursor }> {
  const outputs = new Map<number, Output>()
  const line = (text: string, stamp: string) => ({ at: new Date(stamp), source: 'demo' as const, text, cursor: stamp })
  for await (const { source, stamp, bytes } of frames(stream)) {
    if (after !== undefined && stamp <= after) continue
    const output = outputs.get(source) ?? { lines: new Lines(options), stamp }
    outputs.set(source, output)
    output.stamp = stamp
    for (const text of output.lines.push(bytes)) yield line(text, stamp)
  }
  for (const { lines, stamp } of outputs.values()) for (const text of lines.end()) yield line(text, stamp)
}

const headerBytes = 8
/** The length of a timestamp: RFC 3339 with nanoseconds in UTC, and a space. */
const stampBytes = 31

/**
 * Splits Docker's stream into frames. A frame begins with one byte for the source, three zero bytes and four bytes for
 * the length. Then come a timestamp, a space and the output. Parts of a frame are passed on as they arrive, so a long
 * frame takes no memory. Source: Docker's API, "Attach to a container", stream format.
 */
async function* frames(
  stream: AsyncIterable<Uint8Array>,
): AsyncIterable<{ source: number; stamp: string; bytes: Uint8Array }> {
  let head = Buffer.alloc(0)
  let [source, left, stamp] = [0, 0, '']
  for await (let bytes of stream) {
    while (bytes.length > 0) {
      if (left === 0) {
        const missing = headerBytes + stampBytes - head.length
        head = Buffer.concat([head, bytes.subarray(0, missing)])
        bytes = bytes.subarray(missing)
        if (head.length < headerBytes + stampBytes) continue
        source = head[0] ?? 0
        left = head.readUInt32BE(4) - stampBytes
        stamp = head.toString('latin1', headerBytes, headerBytes + stampBytes - 1)
        head = Buffer.alloc(0)
        if (left < 0 || Number.isNaN(Date.parse(stamp)))
          throw new Error(`Docker sent a frame without a time: ${JSON.stringify(stamp)}`)
      }
      const part = bytes.subarray(0, left)
      left -= part.length
      bytes = bytes.subarray(part.length)
      if (part.length > 0) yield { source, stamp, bytes: part }
    }
  }
}
