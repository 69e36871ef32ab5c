import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** One keep-alive connection that asks one thing at a time, and does as little as possible for an answer. */
export class Connection {
  private readonly url: URL
  private readonly socket: Socket
  private cookies = ''
  private received = ''
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

  private head(bytes: number, headers: string): string {
    const cookies = this.cookies === '' ? '' : `cookie: ${this.cookies}\r\n`
    return `POST ${this.url.pathname} HTTP/1.1\r\nhost: ${this.url.host}\r\ncontent-type: application/json\r\n${headers}${cookies}content-length: ${bytes}\r\n\r\n`
  }

  async post(body: string, headers = ''): Promise<Answer> {
    const answer = new Promise<Answer>((resolve, reject) => {
      this.waiting = { answer: resolve, fail: reject }
    })
    this.socket.write(this.head(Buffer.byteLength(body), headers) + body)
    return answer
  }

  close(): void {
    this.socket.destroy()
  }

  private receive(text: string): void {
    this.received += text
    const answer = parseAnswer(this.received)
    if (!answer) return
    this.received = ''
    for (const pair of answer.cookies) this.cookies = this.cookies === '' ? pair : `${this.cookies}; ${pair}`
    const waiting = this.waiting
    this.waiting = undefined
    waiting?.answer(answer)
  }
}

interface Answer {
  readonly status: number
  readonly body: string
  /** What `set-cookie` asks to send from now on, as `name=value`. */
  readonly cookies: readonly string[]
}

/** Undefined: more is to come. */
function parseAnswer(text: string): Answer | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = text.slice(0, end)
  const status = Number(head.slice(9, 12))
  const cookies = [...head.matchAll(/\r\nset-cookie: ([^;\r]+)/gi)].map(([, pair = '']) => pair)
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
  const rest = text.slice(end + 4)
  if (length !== undefined) return rest.length < Number(length) ? undefined : { status, body: rest, cookies }
  const isChunked = /\r\ntransfer-encoding: chunked/i.test(head)
  if (!isChunked) throw new Error(`expected content-length or chunks, got ${head}`)
  return rest.endsWith('\r\n0\r\n\r\n') || rest === '0\r\n\r\n' ? { status, body: rest, cookies } : undefined
}
