import type { Duplex } from 'node:stream'
import { isDeeper } from '../http/limit-json.ts'

/** The bytes before each frame: its length as u32 big-endian. */
const headBytes = 4
const maxDepth = 64
/** How long the other side may take what was sent before the end. */
const lastWordsMs = 5000
/** The most that is waited with what is not urgent, for something to go with. */
const lateMs = 20
/** An empty frame shows that this side is alive. */
const alive = Buffer.alloc(headBytes)

/** The longest time for a whole message. */
const wholeMs = 5 * 60_000
/** The most that waits to be taken by the other side. */
const mostUnsent = 256 * 1024 ** 2

/** A message behind its length. */
export function encodeFrame(message: unknown): Buffer {
  const body = JSON.stringify(message)
  const length = Buffer.byteLength(body)
  const frame = Buffer.allocUnsafe(headBytes + length)
  frame.writeUInt32BE(length)
  frame.write(body, headBytes)
  return frame
}

export interface FrameOptions {
  /** The largest frame that is read, in bytes. Called for each frame. */
  readonly maxBytes: () => number
  /** How long the other side may be silent. This side shows in less time that it is alive. */
  readonly silenceMs: () => number
  /** `bytes` is the size of the message on the wire. */
  readonly onMessage: (message: unknown, bytes: number) => void
  /** Called once, when the connection is over. */
  readonly onClose: (error: Error | undefined) => void
}

/**
 * Messages both ways over one connection, each a JSON value behind its length. What is sent in one turn of the event
 * loop is one write. A side that breaks the rules, or is silent for too long, is disconnected.
 */
export class FrameSocket {
  private readonly socket: Duplex
  private readonly options: FrameOptions
  private readonly timer: NodeJS.Timeout
  private outgoing: Buffer[] = []
  private flushing: NodeJS.Immediate | undefined
  private late: NodeJS.Timeout | undefined
  private arrived: Buffer[] = []
  private size = 0
  private lastReceivedMs = performance.now()
  /** When the last message had come whole. */
  private lastWholeMs = performance.now()
  private lastSentMs = performance.now()
  private isClosed = false

  constructor(socket: Duplex, options: FrameOptions) {
    this.socket = socket
    this.options = options
    if ('setNoDelay' in socket && typeof socket.setNoDelay === 'function') socket.setNoDelay(true)
    if ('setTimeout' in socket && typeof socket.setTimeout === 'function') socket.setTimeout(0)
    const checkMs = Math.max(10, Math.min(15_000, options.silenceMs() / 4))
    this.timer = setInterval(() => this.check(), checkMs)
    this.timer.unref()
  }

  /** Begins to read, first what came with the head of the request that opened the connection. */
  start(head: Uint8Array = Buffer.alloc(0)): void {
    const { socket } = this
    socket.on('error', (error) => this.close(error))
    socket.on('end', () => this.close())
    socket.on('close', () => this.close())
    socket.on('data', (bytes: Buffer) => this.receive(bytes))
    if (head.length > 0) this.receive(Buffer.from(head))
  }

  get closed(): boolean {
    return this.isClosed
  }

  /**
   * Returns the size of the message on the wire. `isUrgent`: it is sent at once. Otherwise it goes with the next that
   * is, or a moment later.
   */
  send(message: unknown, isUrgent = true): number {
    const frame = encodeFrame(message)
    this.write(frame, isUrgent)
    return frame.length - headBytes
  }

  /** Sends a frame that `encodeFrame` made. */
  sendFrame(frame: Buffer): void {
    this.write(frame, true)
  }

  /** Sends what waits, and disconnects. */
  end(): void {
    this.flush()
    this.socket.end()
    const { socket } = this
    setTimeout(() => socket.destroy(), lastWordsMs).unref()
    this.close()
  }

  private write(frame: Buffer, isUrgent: boolean): void {
    if (this.isClosed) return
    this.outgoing.push(frame)
    if (isUrgent) this.flushing ??= setImmediate(() => this.flush())
    else this.late ??= setTimeout(() => this.flush(), lateMs)
  }

  private flush(): void {
    clearTimeout(this.late)
    clearImmediate(this.flushing)
    this.late = undefined
    this.flushing = undefined
    const [only, ...more] = this.outgoing
    if (!only || this.isClosed) return
    const frames = this.outgoing
    this.outgoing = []
    this.lastSentMs = performance.now()
    if (this.socket.writableLength > mostUnsent) this.close(new Error('what was sent is not taken'))
    else this.socket.write(more.length === 0 ? only : Buffer.concat(frames))
  }

  private receive(bytes: Buffer): void {
    this.lastReceivedMs = performance.now()
    if (this.size === 0) this.lastWholeMs = this.lastReceivedMs
    this.arrived.push(bytes)
    this.size += bytes.length
    try {
      this.readFrames()
    } catch (error) {
      this.close(error instanceof Error ? error : new Error(String(error)))
    }
  }

  private readFrames(): void {
    while (!this.isClosed && this.size >= headBytes) {
      let first = this.joined(headBytes)
      const length = first.readUInt32BE()
      const most = this.options.maxBytes()
      if (length > most) throw new RangeError(`expected a message of at most ${most} bytes, got ${length}`)
      const end = headBytes + length
      if (this.size < end) return
      first = this.joined(end)
      this.size -= end
      this.lastWholeMs = this.lastReceivedMs
      if (first.length === end) this.arrived.shift()
      else this.arrived[0] = first.subarray(end)
      if (length > 0) this.pass(first.subarray(headBytes, end))
    }
  }

  /** The first bytes in one piece, so many at least. */
  private joined(bytes: number): Buffer {
    const [first] = this.arrived
    if (first && first.length >= bytes) return first
    const all = Buffer.concat(this.arrived)
    this.arrived = [all]
    return all
  }

  private pass(body: Buffer): void {
    if (isDeeper(body, maxDepth))
      throw new RangeError(`expected JSON with at most ${maxDepth} arrays and objects within each other, got more`)
    this.options.onMessage(JSON.parse(body.toString('utf8')), body.length)
  }

  private check(): void {
    const now = performance.now()
    const silenceMs = this.options.silenceMs()
    // After a pause of this process what came meanwhile has not been read yet.
    if (now - this.lastReceivedMs > silenceMs) setImmediate(() => this.closeIfSilent(silenceMs))
    else if (this.size > 0 && now - this.lastWholeMs > wholeMs)
      this.close(new Error(`expected a whole message within ${wholeMs / 1000} s`))
    else if (now - this.lastSentMs > silenceMs / 5) this.write(alive, true)
  }

  private closeIfSilent(silenceMs: number): void {
    if (performance.now() - this.lastReceivedMs > silenceMs)
      this.close(new Error(`nothing came for ${silenceMs / 1000} s`))
  }

  close(error?: Error): void {
    if (this.isClosed) return
    this.isClosed = true
    clearInterval(this.timer)
    clearTimeout(this.late)
    this.outgoing = []
    this.arrived = []
    if (!this.socket.writableEnded) this.socket.destroy()
    this.options.onClose(error)
  }
}
