/**
 * BuildKit tells how a build goes in protobuf (`moby.buildkit.control.StatusResponse`, api/services/control/control.proto of BuildKit): vertexes are field 1,
 * logs field 3. Only what a log needs is read.
 */
export interface TraceLine {
  readonly text: string
  readonly error: boolean
}

interface FieldOf {
  readonly number: number
  readonly bytes: Uint8Array
}

/** Lines for people: each step once as it starts, what it prints, why it failed. */
export class BuildTrace {
  private readonly told = new Set<string>()
  private readonly rest = new Map<string, string>()

  read(message: Uint8Array): TraceLine[] {
    const lines: TraceLine[] = []
    for (const { number, bytes } of fields(message)) {
      if (number === 1) lines.push(...this.vertex(bytes))
      if (number === 3) lines.push(...this.log(bytes))
    }
    return lines
  }

  /** digest 1, name 3, started 5, error 7. */
  private vertex(bytes: Uint8Array): TraceLine[] {
    const vertex = byNumber(bytes)
    const [digest, name, error] = [text(vertex.get(1)), text(vertex.get(3)), text(vertex.get(7))]
    const lines: TraceLine[] = []
    if (vertex.has(5) && !this.told.has(digest)) {
      this.told.add(digest)
      if (!name.startsWith('[internal]')) lines.push({ text: name, error: false })
    }
    if (error !== '' && !this.told.has(digest + error)) {
      this.told.add(digest + error)
      lines.push({ text: error, error: true })
    }
    return lines
  }

  /** vertex 1, msg 4. */
  private log(bytes: Uint8Array): TraceLine[] {
    const log = byNumber(bytes)
    const vertex = text(log.get(1))
    const parts = ((this.rest.get(vertex) ?? '') + text(log.get(4))).split(/\r?\n|\r/)
    this.rest.set(vertex, parts.pop() ?? '')
    return parts.filter((line) => line !== '').map((line) => ({ text: line, error: false }))
  }
}

const decoder = new TextDecoder()
const text = (bytes: Uint8Array | undefined): string => (bytes ? decoder.decode(bytes) : '')
const byNumber = (message: Uint8Array): Map<number, Uint8Array> =>
  new Map([...fields(message)].map(({ number, bytes }) => [number, bytes]))

/** The length-delimited fields of a protobuf message; others are passed over. */
function* fields(message: Uint8Array): Generator<FieldOf> {
  let at = 0
  const varint = (): number => {
    let [value, scale] = [0, 1]
    for (;;) {
      const byte = message[at] ?? 0
      at += 1
      value += (byte & 127) * scale
      scale *= 128
      if (byte < 128 || at > message.length) return value
    }
  }
  while (at < message.length) {
    const key = varint()
    const wire = key % 8
    if (wire === 0) varint()
    else if (wire === 1) at += 8
    else if (wire === 5) at += 4
    else {
      const length = varint()
      yield { number: Math.floor(key / 8), bytes: message.subarray(at, at + length) }
      at += length
    }
  }
}
