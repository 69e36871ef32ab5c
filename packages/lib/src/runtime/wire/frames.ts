import { Buffer } from 'node:buffer'

/** Larger frames are refused: files cross as paths, so this is a model that went astray. */
const maxFrameBytes = 256 * 1024 * 1024

/** A message as bytes: u32 big-endian length, then JSON in UTF-8. */
export function encodeFrame(message: unknown): Uint8Array {
  const body = Buffer.from(JSON.stringify(message))
  const frame = Buffer.allocUnsafe(4 + body.length)
  frame.writeUInt32BE(body.length)
  body.copy(frame, 4)
  return frame
}

/** Reads messages until the stream ends. Throws on a frame that is too large or no JSON. */
export async function* readFrames<Message>(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Message> {
  let parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of stream) {
    parts.push(chunk)
    length += chunk.length
    if (length < missing(parts)) continue
    let rest = Buffer.concat(parts)
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE()) {
      const end = 4 + rest.readUInt32BE()
      yield JSON.parse(rest.toString('utf8', 4, end)) as Message
      rest = rest.subarray(end)
    }
    parts = rest.length > 0 ? [rest] : []
    length = rest.length
  }
}

/** How many bytes must be there before a frame is whole. */
function missing(parts: readonly Uint8Array[]): number {
  const [first] = parts
  if (!first || first.length < 4) return 4
  const body = new DataView(first.buffer, first.byteOffset).getUint32(0)
  if (body > maxFrameBytes) throw new RangeError(`a message of ${body} bytes from the model; at most ${maxFrameBytes} are taken`)
  return 4 + body
}
