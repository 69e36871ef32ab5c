import { Buffer } from 'node:buffer'

/** Larger frames are refused. Files are passed as paths, so only a faulty model sends one. */
const maxFrameBytes = 64 * 1024 ** 2

/** Encodes a message: its length as u32 big-endian, then JSON in UTF-8. Throws RangeError when it is too large. */
export function encodeFrame(message: unknown): Uint8Array {
  const body = JSON.stringify(message)
  const length = Buffer.byteLength(body)
  if (length > maxFrameBytes) throw tooLarge(length)
  const frame = Buffer.allocUnsafe(4 + length)
  frame.writeUInt32BE(length)
  frame.write(body, 4)
  return frame
}

/**
 * Reads messages until the stream ends, each one the JSON value of a frame. Throws Error for a frame that is too large
 * or no JSON.
 */
export async function* readFrames(stream: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const reader = new FrameReader()
  for await (const chunk of stream) yield* reader.read(chunk)
}

/** Reads messages from the pieces of a stream, wherever it is cut. */
export class FrameReader {
  private parts: Uint8Array[] = []
  private length = 0

  /** Whether a frame has begun that has not come whole. */
  get isWithin(): boolean {
    return this.length > 0
  }

  /**
   * Yields the messages that end in this piece. Throws Error for a frame that is too large or no JSON. A piece is read
   * to its end before the next one.
   */
  *read(chunk: Uint8Array): Generator<unknown, void> {
    this.parts.push(chunk)
    this.length += chunk.length
    if (this.length < 4) return
    if (this.parts[0] && this.parts[0].length < 4) this.parts = [Buffer.concat(this.parts)]
    if (this.length < frameLength(this.parts[0])) return
    const [only, ...more] = this.parts
    let rest = only && more.length === 0 ? asBuffer(only) : Buffer.concat(this.parts)
    while (rest.length >= frameLength(rest)) {
      const end = frameLength(rest)
      yield JSON.parse(rest.toString('utf8', 4, end)) as unknown
      rest = rest.subarray(end)
    }
    this.parts = rest.length > 0 ? [rest] : []
    this.length = rest.length
  }
}

/** The length of the frame that begins with these bytes. 4 while its header is incomplete. */
function frameLength(bytes: Uint8Array | undefined): number {
  if (!bytes || bytes.length < 4) return 4
  const body = (((bytes[0] ?? 0) << 24) | ((bytes[1] ?? 0) << 16) | ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0)) >>> 0
  if (body > maxFrameBytes) throw tooLarge(body)
  return 4 + body
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)

const tooLarge = (bytes: number): RangeError =>
  new RangeError(`a message of ${bytes} bytes; at most ${maxFrameBytes} are taken`)
