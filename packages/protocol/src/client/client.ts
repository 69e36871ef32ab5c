import { type AnswerOf, type AnySent, type EndpointRequest, type Endpoints, requestLine } from '../control/endpoint.ts'
import { readRefusal, type Unread } from './refusal.ts'

/** A call, ready to be sent by whatever speaks HTTP: `fetch`, or a dispatcher with certificates. */
export interface Outgoing {
  readonly method: string
  /** With its query; the server's address goes before it. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal
}

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

type Asked<Table, Answer> = <Key extends keyof Table & string>(
  key: Key,
  sent: EndpointRequest<Table[Key]>,
  options?: CallOptions,
) => Promise<Answer>

/** Calls the endpoints of one table; names, what is sent and what comes are typed by it. */
export interface Client<Table, Came extends Unread = Response> {
  /** Sends, and reads the JSON. Throws Refusal, SyntaxError where it is no JSON, and what sending and reading throw. */
  readonly call: <Key extends keyof Table & string>(
    key: Key,
    sent: EndpointRequest<Table[Key]>,
    options?: CallOptions,
  ) => Promise<AnswerOf<Table[Key]>>
  /**
   * Sends, and hands back an answer of 2xx to be read as it comes: a log, a stream, or JSON whose status matters.
   * Throws Refusal, and what sending throws.
   */
  readonly send: Asked<Table, Came>
}

/**
 * A client of a table of endpoints, given how to send. The table is a type alone: pages are built without its schemas,
 * and the server on the other side is our own, which answers as they say. `fallback`: the message of a refusal that
 * came without one.
 */
export function endpointClient<Table extends Endpoints, Came extends Unread = Response>(
  transport: (request: Outgoing) => Promise<Came>,
  fallback?: (status: number) => string,
): Client<Table, Came> {
  const send: Asked<Table, Came> = async (key, sent, options = {}) => {
    const answer = await transport(outgoing(key, sent as AnySent, options))
    if (answer.status < 200 || answer.status >= 300) throw await readRefusal(answer, fallback)
    return answer
  }
  return {
    send,
    async call(key, sent, options) {
      return parsedAnswer(await send(key, sent, options))
    },
  }
}

/**
 * The JSON of an answer, which its caller knows the type of; undefined where nothing was said. Throws SyntaxError, and
 * what reading throws.
 */
export async function parsedAnswer<Answer>(answer: Unread): Promise<Answer> {
  const text = await answer.text()
  return (text === '' ? undefined : JSON.parse(text)) as Answer
}

function outgoing(key: string, sent: AnySent, { headers = {}, signal }: CallOptions): Outgoing {
  const { body } = sent
  return {
    ...requestLine(key, sent),
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  }
}
