import { type AnswerOf, type AnySent, type EndpointRequest, type Endpoints, requestLine } from '../control/endpoint.ts'
import { readRefusal, type Unread } from './refusal.ts'

/** A request, ready to be sent by any HTTP client: `fetch`, or one that presents a certificate. */
export interface Outgoing {
  readonly method: string
  /** The path and query. The sender puts the server's address before it. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal
}

interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

type Asked<Table, Answer> = <Key extends keyof Table & string>(
  key: Key,
  sent: EndpointRequest<Table[Key]>,
  options?: CallOptions,
) => Promise<Answer>

/** Calls the endpoints of one table. The table gives the types of keys, requests and answers. */
export interface Client<Table, Came extends Unread = Response> {
  /**
   * Sends a request and parses the JSON answer. Throws Refusal, SyntaxError for an answer that is no JSON, and the
   * errors of sending and reading.
   */
  readonly call: <Key extends keyof Table & string>(
    key: Key,
    sent: EndpointRequest<Table[Key]>,
    options?: CallOptions,
  ) => Promise<AnswerOf<Table[Key]>>
  /**
   * Sends a request and returns a 2xx answer unread, for a log, a stream, or JSON whose status matters. Throws Refusal,
   * and the errors of sending.
   */
  readonly send: Asked<Table, Came>
}

/**
 * Makes a client for a table of endpoints from a function that sends. The table is only a type, so that pages do not
 * contain its schemas; the server is ours and answers by them. `fallback` makes the message of a refusal that came
 * without one.
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
 * Parses the JSON of an answer whose type its caller knows. Undefined for an empty body. Throws SyntaxError, and the
 * errors of reading.
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
