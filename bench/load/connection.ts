import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** One keep-alive connection that asks one thing at a time, and does as little as possible for an answer. */
export class Connection {
  private readonly url: URL
  private readonly socket: Socket
  /** By their names, each as `name=value`. */
  private readonly cookies = new Map<string, string>()
  private received = ''
  /** The request that was sent last, which is sent again as it is when nothing of it changed. */
  private last: { body: string; headers: string; bytes: Buffer } | undefined
  /** The head of the answer that came last: most are the same for as long as their date is. */
  private lastHead: Head | undefined
  private waiting: { answer: (answer: Answer) => void; fail: (error: Error) => void } | undefined

  private constructor(url: URL, socket: Socket) {
    this.url = url
    this.socket = socket
    socket.setNoDelay(true).setEncoding('latin1')
    socket.on('data', (text: string) => this.receive(text))
    socket.on('error', (error) => this.waiting?.fail(error))
    socket.on('close', () => this.waiting?.fail(new Error(`${url.host} closed the connection before it answered`)))
  }

  static async open(url: URL): Promise<Connection> {
    const socket = connect(Number(url.port), url.hostname)
    await once(socket, 'connect')
    return new Connection(url, socket)
  }

  private bytesOf(body: string, headers: string): Buffer {
    if (this.last?.body === body && this.last.headers === headers) return this.last.bytes
    const cookies = this.cookies.size === 0 ? '' : `cookie: ${[...this.cookies.values()].join('; ')}\r\n`
    const head = `POST ${this.url.pathname} HTTP/1.1\r\nhost: ${this.url.host}\r\ncontent-type: application/json\r\n${headers}${cookies}content-length: ${Buffer.byteLength(body)}\r\n\r\n`
    const bytes = Buffer.from(head + body)
    this.last = { body, headers, bytes }
    return bytes
  }

  async post(body: string, headers = ''): Promise<Answer> {
    const answer = new Promise<Answer>((resolve, reject) => {
      this.waiting = { answer: resolve, fail: reject }
    })
    this.socket.write(this.bytesOf(body, headers))
    return answer
  }

  close(): void {
    this.socket.destroy()
  }

  private receive(text: string): void {
    this.received += text
    const answer = this.parseAnswer()
    if (!answer) return
    this.received = ''
    const waiting = this.waiting
    this.waiting = undefined
    waiting?.answer(answer)
  }

  /** Undefined: more is to come. */
  private parseAnswer(): Answer | undefined {
    const end = this.received.indexOf('\r\n\r\n')
    if (end < 0) return undefined
    const head = this.headOf(this.received.slice(0, end))
    const body = this.received.slice(end + 4)
    const isWhole =
      head.length === undefined ? body.endsWith('\r\n0\r\n\r\n') || body === '0\r\n\r\n' : body.length >= head.length
    return isWhole ? { status: head.status, body } : undefined
  }

  private headOf(text: string): Head {
    if (this.lastHead?.text === text) return this.lastHead
    const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1]
    if (length === undefined && !/\r\ntransfer-encoding: chunked/i.test(text))
      throw new Error(`expected content-length or chunks, got ${text}`)
    for (const [, pair = ''] of text.matchAll(/\r\nset-cookie: ([^;\r]+)/gi)) this.setCookie(pair)
    this.lastHead = {
      text,
      status: Number(text.slice(9, 12)),
      length: length === undefined ? undefined : Number(length),
    }
    return this.lastHead
  }

  private setCookie(pair: string): void {
    this.cookies.set(pair.slice(0, pair.indexOf('=')), pair)
    this.last = undefined
  }
}

interface Answer {
  readonly status: number
  readonly body: string
}

interface Head {
  readonly text: string
  readonly status: number
  /** Undefined: the body comes in chunks. */
  readonly length: number | undefined
}
