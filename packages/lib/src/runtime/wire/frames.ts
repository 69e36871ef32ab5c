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
  let parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of stream) {
    parts.push(chunk)
    length += chunk.length
    if (length < 4) continue
    if (parts[0] && parts[0].length < 4) parts = [Buffer.concat(parts)]
    if (length < frameLength(parts[0])) continue
    let rest = Buffer.concat(parts)
    while (rest.length >= frameLength(rest)) {
      const end = frameLength(rest)
      yield JSON.parse(rest.toString('utf8', 4, end)) as unknown
      rest = rest.subarray(end)
    }
    parts = rest.length > 0 ? [rest] : []
    length = rest.length
  }
}

/** The length of the frame that begins with these bytes. 4 while its header is incomplete. */
function frameLength(bytes: Uint8Array | undefined): number {
  if (!bytes || bytes.length < 4) return 4
  const body = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  if (body > maxFrameBytes) throw tooLarge(body)
  return 4 + body
}

const tooLarge = (bytes: number): RangeError =>
  new RangeError(`a message of ${bytes} bytes; at most ${maxFrameBytes} are taken`)
