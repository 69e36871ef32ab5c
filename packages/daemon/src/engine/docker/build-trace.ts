import { Lines } from '../../logs/lines.ts'

/**
 * BuildKit reports a build in protobuf (`moby.buildkit.control.StatusResponse`, api/services/control/control.proto of
 * BuildKit): field 1 holds vertexes, field 3 logs. Only the fields that a log needs are read.
 */
export interface TraceLine {
  readonly text: string
  readonly error: boolean
}

interface FieldOf {
  readonly number: number
  readonly bytes: Uint8Array
}

const maxErrorLength = 64 * 1024

/**
 * Turns the report into lines for people: the name of each step when it starts, what it prints, and why it failed.
 * Holds one line for each step that is under way.
 */
export class BuildTrace {
  private readonly reported = new Set<string>()
  private readonly steps = new Map<string, Lines>()

  read(message: Uint8Array): TraceLine[] {
    const all = [...fields(message)]
    const vertexes = all.filter(({ number }) => number === 1).map(({ bytes }) => byNumber(bytes))
    const logs = all.filter(({ number }) => number === 3)
    return [
      ...vertexes.flatMap((vertex) => this.started(vertex)),
      ...logs.flatMap(({ bytes }) => this.log(bytes)),
      ...vertexes.flatMap((vertex) => this.ended(vertex)),
    ]
  }

  /** Fields of a vertex: digest 1, name 3, started 5. */
  private started(vertex: ReadonlyMap<number, Uint8Array>): TraceLine[] {
    const [digest, name] = [text(vertex.get(1)), text(vertex.get(3))]
    if (!vertex.has(5) || this.reported.has(digest)) return []
    this.reported.add(digest)
    return name.startsWith('[internal]') ? [] : [{ text: name, error: false }]
  }

  /** Fields of a vertex: digest 1, completed 6, error 7. */
  private ended(vertex: ReadonlyMap<number, Uint8Array>): TraceLine[] {
    const [digest, error] = [text(vertex.get(1)), text(vertex.get(7)).slice(0, maxErrorLength)]
    const lines: TraceLine[] = []
    if (vertex.has(6)) {
      lines.push(...printed(this.steps.get(digest)?.end()))
      this.steps.delete(digest)
    }
    if (error !== '' && !this.reported.has(`${digest} failed`)) {
      this.reported.add(`${digest} failed`)
      lines.push({ text: error, error: true })
    }
    return lines
  }

  /** Fields of a log: vertex 1, msg 4. */
  private log(bytes: Uint8Array): TraceLine[] {
    const log = byNumber(bytes)
    const vertex = text(log.get(1))
    const lines = this.steps.get(vertex) ?? new Lines()
    this.steps.set(vertex, lines)
    return printed(lines.push(log.get(4) ?? new Uint8Array()))
  }
}

const printed = (lines: readonly string[] = []): TraceLine[] =>
  lines.filter((line) => line !== '').map((line) => ({ text: line, error: false }))

const decoder = new TextDecoder()
const text = (bytes: Uint8Array | undefined): string => (bytes ? decoder.decode(bytes) : '')
const byNumber = (message: Uint8Array): Map<number, Uint8Array> =>
  new Map([...fields(message)].map(({ number, bytes }) => [number, bytes]))

/** The length-delimited fields of a protobuf message. Other fields are skipped. */
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
